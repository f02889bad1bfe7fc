package stripe

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
)

// headerSignature is t=SECONDS,v1=HEX, with more than one v1 while a secret is rolled
// (vevee-golivekit-stripe.md section 4.4).
const headerSignature = "Stripe-Signature"

// tolerance is how old a signature may be, and how far ahead: an old one may be a replay, and one from
// the future could be replayed for as long as it is ahead. The vendor's library accepts the latter.
const tolerance = 300 * time.Second

// stampBits bounds the seconds of a signature: far beyond any clock, and far from overflow.
const stampBits = 40

// signed is a signature as its header has it.
type signed struct {
	stamp string // as it was signed
	at    clock.Instant
	sums  [][]byte
}

const opVerify = "stripe.verify"

func errSignature(format string, args ...any) error {
	return fault.New(opVerify, fault.CodeInvalidSignature, format, args...)
}

// verify checks that Stripe signed a body with a secret of this mode, just now. Any of the secrets may
// have signed, and any of the signatures may be theirs.
func (a *account) verify(header string, body []byte, now clock.Instant) error {
	s, err := parseSignature(header)
	if err != nil {
		return err
	}
	if !a.anySigned(s, body) {
		return errSignature("the webhook is not signed with the secret in %s: set it to the signing secret of this very endpoint", a.webhook)
	}
	switch age := now.Sub(s.at); {
	case age > tolerance:
		return errSignature("the webhook was signed more than %s ago: check the clock of this server", tolerance)
	case age < -tolerance:
		return errSignature("the webhook was signed more than %s ahead of time: check the clock of this server", tolerance)
	}
	return nil
}

func (a *account) anySigned(s *signed, body []byte) bool {
	found := false
	for _, secret := range a.keys.Webhook {
		mac := hmac.New(sha256.New, []byte(secret.text()))
		mac.Write([]byte(s.stamp + "."))
		mac.Write(body)
		sum := mac.Sum(nil)
		for _, have := range s.sums {
			found = hmac.Equal(have, sum) || found
		}
	}
	return found
}

// parseSignature reads the header. Schemes other than v1 are not looked at: v0 is no protection.
func parseSignature(header string) (*signed, error) {
	if header == "" {
		return nil, errSignature("the webhook has no %s header: it does not come from Stripe", headerSignature)
	}
	s := &signed{}
	for part := range strings.SplitSeq(header, ",") {
		scheme, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch scheme {
		case "t":
			s.stamp = value
		case "v1":
			if sum, err := hex.DecodeString(value); err == nil && len(sum) == sha256.Size {
				s.sums = append(s.sums, sum)
			}
		}
	}
	seconds, err := strconv.ParseUint(s.stamp, 10, stampBits)
	if err != nil || len(s.sums) == 0 {
		return nil, errSignature("the %s header does not have the form t=SECONDS,v1=SIGNATURE", headerSignature)
	}
	s.at = clock.At(time.Unix(int64(seconds), 0))
	return s, nil
}
