package stripe

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85/webhook"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
)

const aBody = `{"id":"evt_1","object":"event","api_version":"2026-03-25.dahlia","livemode":false,"type":"charge.refunded",` +
	`"data":{"object":{"id":"ch_1","amount_refunded":100,"currency":"usd","payment_intent":"pi_1"}}}`

func sumBy(secret string, at clock.Instant, body string) string {
	return hex.EncodeToString(webhook.ComputeSignature(at.Time(), []byte(body), secret))
}

// T01: which signatures are taken.
func TestSignatures(t *testing.T) {
	w := newWorld(t)
	now := w.clock.Now()
	stamp := now.Time().Unix()
	good, wrong := sumBy(testSecret, now, aBody), sumBy("whsec_other", now, aBody)
	ago := func(d time.Duration) string { return signedBy(testSecret, now.Add(-d), aBody) }
	other := make([]byte, len(good)/2)
	for name, c := range map[string]struct {
		header string
		ok     bool
	}{
		"good":                    {ago(0), true},
		"by hand":                 {fmt.Sprintf("t=%d,v1=%s", stamp, good), true},
		"with spaces":             {fmt.Sprintf("t=%d, v1=%s", stamp, good), true},
		"wrong secret":            {signedBy("whsec_other", now, aBody), false},
		"live secret":             {signedBy(liveSecret, now, aBody), false},
		"missing":                 {"", false},
		"garbage":                 {"garbage", false},
		"only commas":             {",,,", false},
		"empty values":            {"t=,v1=", false},
		"v0 only":                 {fmt.Sprintf("t=%d,v0=%s", stamp, good), false},
		"v0 and v1":               {fmt.Sprintf("t=%d,v1=%s,v0=%s", stamp, good, wrong), true},
		"unknown scheme":          {fmt.Sprintf("t=%d,v2=%s,v1=%s", stamp, wrong, good), true},
		"two, second right":       {fmt.Sprintf("t=%d,v1=%s,v1=%s", stamp, wrong, good), true},
		"two, first right":        {fmt.Sprintf("t=%d,v1=%s,v1=%s", stamp, good, wrong), true},
		"two wrong":               {fmt.Sprintf("t=%d,v1=%s,v1=%s", stamp, wrong, wrong), false},
		"by the next secret":      {signedBy(nextSecret, now, aBody), true},
		"by both secrets":         {fmt.Sprintf("t=%d,v1=%s,v1=%s", stamp, sumBy(nextSecret, now, aBody), good), true},
		"no time":                 {"v1=" + good, false},
		"time twice":              {fmt.Sprintf("t=%d,t=%d,v1=%s", stamp, stamp-1, good), false},
		"time is text":            {"t=now,v1=" + good, false},
		"time is negative":        {fmt.Sprintf("t=-%d,v1=%s", stamp, good), false},
		"time is signed":          {fmt.Sprintf("t=+%d,v1=%s", stamp, good), false},
		"time overflows":          {"t=99999999999999999999,v1=" + good, false},
		"time far away":           {fmt.Sprintf("t=%d,v1=%s", int64(1)<<39, good), false},
		"another time":            {fmt.Sprintf("t=%d,v1=%s", stamp+1, good), false},
		"half a signature":        {fmt.Sprintf("t=%d,v1=%s", stamp, good[:32]), false},
		"zeros":                   {fmt.Sprintf("t=%d,v1=%s", stamp, hex.EncodeToString(other)), false},
		"not hexadecimal":         {fmt.Sprintf("t=%d,v1=%s", stamp, strings.Repeat("z", 64)), false},
		"299 s old":               {ago(299 * time.Second), true},
		"300 s old":               {ago(300 * time.Second), true},
		"301 s old":               {ago(301 * time.Second), false},
		"a day old":               {ago(24 * time.Hour), false},
		"299 s ahead":             {ago(-299 * time.Second), true},
		"300 s ahead":             {ago(-300 * time.Second), true},
		"301 s ahead":             {ago(-301 * time.Second), false},
		"1 h ahead":               {ago(-time.Hour), false},
		"1 h ahead, wrong secret": {signedBy("whsec_other", now.Add(time.Hour), aBody), false},
	} {
		events, err := w.read(catalog.Test, c.header, aBody)
		if c.ok && (err != nil || len(events) != 1) {
			t.Errorf("%s: %v, %v", name, events, err)
		}
		if !c.ok {
			wantCode(t, err, fault.CodeInvalidSignature)
			if fault.As(err).Kind().HTTPStatus() != 400 {
				t.Errorf("%s: answered with %d", name, fault.As(err).Kind().HTTPStatus())
			}
		}
	}
	for i := range aBody {
		altered := []byte(aBody)
		altered[i] ^= 1
		if _, err := w.read(catalog.Test, ago(0), string(altered)); fault.CodeOf(err) != fault.CodeInvalidSignature {
			t.Fatalf("byte %d was altered: %v", i, err)
		}
	}
}

// T19: what is of the other mode is refused although it is signed, and sandboxes are of test.
func TestEventsOfTheOtherMode(t *testing.T) {
	w := newWorld(t)
	now := w.clock.Now()
	_, err := w.read(catalog.Live, signedBy(liveSecret, now, aBody), aBody)
	wantCode(t, err, fault.CodeInvalidSignature)
	if !strings.Contains(fault.As(err).Message, "other mode") {
		t.Error(err)
	}
	live := strings.Replace(aBody, `"livemode":false`, `"livemode":true`, 1)
	_, err = w.read(catalog.Test, signedBy(testSecret, now, live), live)
	wantCode(t, err, fault.CodeInvalidSignature)
	for mode, secret := range map[catalog.Mode]string{catalog.Live: liveSecret, "test/ci": testSecret} {
		body := aBody
		if mode == catalog.Live {
			body = live
		}
		if events, err := w.read(mode, signedBy(secret, now, body), body); err != nil || len(events) != 1 {
			t.Error(mode, events, err)
		}
	}
}

// T20, T21: events of any version of the API are read; those about something else are nothing.
func TestEventsAreReadLeniently(t *testing.T) {
	w := newWorld(t)
	for _, version := range []string{"2026-03-25.dahlia", "2024-10-28.acacia", "2020-08-27", "", "9999-01-01.zebra"} {
		body := strings.Replace(aBody, "2026-03-25.dahlia", version, 1)
		if events, err := w.read(catalog.Test, signedBy(testSecret, start, body), body); err != nil || len(events) != 1 {
			t.Error(version, events, err)
		}
	}
	for _, body := range []string{
		`{"id":"evt_1","object":"event","livemode":false,"type":"customer.created","data":{"object":{"id":"cus_1"}}}`,
		`{"id":"evt_1","object":"event","livemode":false,"type":"something.new","data":{"object":7}}`,
		`{"id":"evt_1","object":"v2.core.event","livemode":false,"type":"charge.refunded"}`,
		strings.Replace(aBody, `"livemode"`, `"account":"acct_1","livemode"`, 1),
	} {
		if events, err := w.read(catalog.Test, signedBy(testSecret, start, body), body); err != nil || len(events) != 0 {
			t.Error(body, events, err)
		}
	}
	for _, body := range []string{
		"", "no", "[]", `{"object":7}`,
		`{"id":"evt_1","object":"event","livemode":false,"type":"charge.refunded","data":{"object":7}}`,
		`{"id":"evt_1","object":"event","livemode":false,"type":"charge.refunded"}`,
	} {
		_, err := w.read(catalog.Test, signedBy(testSecret, start, body), body)
		wantCode(t, err, fault.CodeInvalidJSON)
	}
}
