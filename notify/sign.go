package notify

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
)

// The headers of the Standard Webhooks specification.
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
)

// secretBytes is the length of a new secret's key.
const secretBytes = 32

func newSecret() string {
	key := make([]byte, secretBytes)
	_, _ = rand.Read(key) // it never fails: the runtime ends the process instead
	return catalog.SecretPrefix + base64.StdEncoding.EncodeToString(key)
}

// secrets are those that sign at an instant, the current one first.
func secrets(e *catalog.Endpoint, at clock.Instant) []string {
	if e.PreviousSecret != "" && at < e.PreviousUntil {
		return []string{e.Secret, e.PreviousSecret}
	}
	return []string{e.Secret}
}

// sign sets the headers that prove who sent a body, and when.
func sign(h http.Header, e *catalog.Endpoint, message string, at clock.Instant, body []byte) error {
	timestamp := strconv.FormatInt(at.Time().Unix(), 10)
	signatures := ""
	for i, secret := range secrets(e, at) {
		key, err := catalog.SecretKey(secret)
		if err != nil {
			return err
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(message + "." + timestamp + "."))
		mac.Write(body)
		if i > 0 {
			signatures += " "
		}
		signatures += "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	h.Set(headerID, message)
	h.Set(headerTimestamp, timestamp)
	h.Set(headerSignature, signatures)
	return nil
}
