package stripe

import (
	"context"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
)

func TestFromEnv(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		says []string // of the error; none: it is right
	}{
		"nothing":        {nil, nil},
		"test":           {map[string]string{VarTestKey: testKey, VarTestWebhook: testSecret}, nil},
		"restricted":     {map[string]string{VarLiveKey: "rk_live_NobodyMaySee", VarLiveWebhook: liveSecret}, nil},
		"spaces":         {map[string]string{VarTestKey: " " + testKey + "\n", VarTestWebhook: " " + testSecret + " , " + nextSecret + " "}, nil},
		"on loopback":    {map[string]string{VarTestKey: testKey, VarTestWebhook: testSecret, VarURL: "http://[::1]:12111"}, nil},
		"by its name":    {map[string]string{VarURL: "http://localhost:12111"}, nil},
		"test as live":   {map[string]string{VarLiveKey: testKey, VarLiveWebhook: testSecret}, []string{VarLiveKey + " holds a test key", "move it to " + VarTestKey}},
		"live as test":   {map[string]string{VarTestKey: liveKey, VarTestWebhook: testSecret}, []string{VarTestKey + " holds a live key", "move it to " + VarLiveKey}},
		"publishable":    {map[string]string{VarTestKey: "pk_test_NobodyMaySee", VarTestWebhook: testSecret}, []string{VarTestKey + " holds a publishable key", "sk_test_"}},
		"no key at all":  {map[string]string{VarTestKey: testSecret, VarTestWebhook: testSecret}, []string{VarTestKey + " does not hold a secret key"}},
		"two lines":      {map[string]string{VarTestKey: testKey + "\n" + testKey, VarTestWebhook: testSecret}, []string{VarTestKey + " does not hold a secret key"}},
		"no secret":      {map[string]string{VarLiveKey: liveKey}, []string{VarLiveWebhook + " is not set", "whsec_"}},
		"no key":         {map[string]string{VarLiveWebhook: liveSecret}, []string{VarLiveWebhook + " is set without a key", "set " + VarLiveKey}},
		"key as secret":  {map[string]string{VarTestKey: testKey, VarTestWebhook: testKey}, []string{VarTestWebhook + " does not hold a signing secret"}},
		"second wrong":   {map[string]string{VarTestKey: testKey, VarTestWebhook: testSecret + ",NobodyMaySee"}, []string{VarTestWebhook + " does not hold a signing secret"}},
		"three secrets":  {map[string]string{VarTestKey: testKey, VarTestWebhook: testSecret + "," + testSecret + "," + testSecret}, []string{"more than two secrets"}},
		"elsewhere":      {map[string]string{VarURL: "https://api.example.org"}, []string{VarURL + " is for tests"}},
		"a trick":        {map[string]string{VarURL: "http://127.0.0.1@example.org"}, []string{VarURL + " is for tests"}},
		"all is said":    {map[string]string{VarLiveKey: testKey, VarTestKey: liveKey}, []string{VarLiveKey, VarLiveWebhook, VarTestKey + " holds", VarTestWebhook}},
		"not an address": {map[string]string{VarURL: "127.0.0.1:1"}, []string{VarURL + " is for tests"}},
	} {
		_, err := FromEnv(func(name string) string { return c.env[name] })
		if len(c.says) == 0 {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		wantCode(t, err, fault.CodeInvalidConfig)
		for _, part := range c.says {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v does not say %q", name, err, part)
			}
		}
	}
}

// A sandbox uses what is set for test; a mode that is not set up says which variables to set.
func TestModesThatAreNotConfigured(t *testing.T) {
	config, err := FromEnv(func(name string) string {
		return map[string]string{VarTestKey: testKey, VarTestWebhook: testSecret + "," + nextSecret}[name]
	})
	if err != nil || !config.Has(catalog.Test) || !config.Has("test/ci") || config.Has(catalog.Live) {
		t.Fatal(config, err)
	}
	p, err := New(config, clock.NewManual(start))
	if err != nil {
		t.Fatal(err)
	}
	if a, err := p.account("x", "test/ci"); err != nil || len(a.keys.Webhook) != 2 {
		t.Error(a, err)
	}
	live := place
	live.Key.Mode = catalog.Live
	err = p.ClosePage(context.Background(), live, "cs_1")
	wantCode(t, err, fault.CodePaymentsNotConfigured)
	if !strings.Contains(err.Error(), VarLiveKey) || !strings.Contains(err.Error(), VarLiveWebhook) {
		t.Error(err)
	}
	if _, err := New(Config{Live: Keys{Key: NewSecret(testKey)}}, clock.NewManual(start)); err == nil {
		t.Error("a wrong configuration was taken")
	}
}
