package stripe

import (
	"net/netip"
	"net/url"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
)

// The variables that FromEnv reads.
const (
	VarLiveKey     = "SCRIP_STRIPE_LIVE_KEY"
	VarLiveWebhook = "SCRIP_STRIPE_LIVE_WEBHOOK_SECRET"
	VarTestKey     = "SCRIP_STRIPE_TEST_KEY"
	VarTestWebhook = "SCRIP_STRIPE_TEST_WEBHOOK_SECRET"
	VarURL         = "SCRIP_STRIPE_URL"
)

// MaxWebhookSecrets bounds the secrets of one endpoint: while one is rolled there are two.
const MaxWebhookSecrets = 2

// Config is what Stripe is used with. A mode without a key is not configured; sandboxes use what is
// set for test.
type Config struct {
	Live, Test Keys
	URL        string // where Stripe is, for tests: on this machine only. Empty: Stripe itself
}

// Keys are what one mode is used with.
type Keys struct {
	Key     Secret   // secret or restricted: sk_ or rk_
	Webhook []Secret // signing secrets of the endpoint: whsec_; any of them may have signed
}

// FromEnv reads the configuration from the environment, and checks it. The two secrets of a webhook
// endpoint that is being rolled are separated by a comma.
func FromEnv(get func(string) string) (Config, error) {
	c := Config{
		Live: Keys{secretIn(get(VarLiveKey)), secretsIn(get(VarLiveWebhook))},
		Test: Keys{secretIn(get(VarTestKey)), secretsIn(get(VarTestWebhook))},
		URL:  strings.TrimSpace(get(VarURL)),
	}
	return c, c.Check()
}

func secretIn(text string) Secret { return NewSecret(strings.TrimSpace(text)) }

func secretsIn(text string) []Secret {
	var all []Secret
	for part := range strings.SplitSeq(text, ",") {
		if s := secretIn(part); s.Set() {
			all = append(all, s)
		}
	}
	return all
}

// Has tells whether a mode is configured.
func (c Config) Has(mode catalog.Mode) bool { return c.keys(mode).Key.Set() }

func (c Config) keys(mode catalog.Mode) Keys {
	if mode.Base() == catalog.Live {
		return c.Live
	}
	return c.Test
}

// Check says everything that is wrong with the configuration, and how to mend it, without saying any
// secret. The error's code is invalid_config.
func (c Config) Check() error {
	wrong := append(c.Live.wrong(liveNames), c.Test.wrong(testNames)...)
	if c.URL != "" && !onLoopback(c.URL) {
		wrong = append(wrong, VarURL+" is for tests and must be an address of this machine such as http://127.0.0.1:12111: unset it to use Stripe itself")
	}
	if len(wrong) == 0 {
		return nil
	}
	return fault.New("stripe.Config", fault.CodeInvalidConfig, "%s", strings.Join(wrong, "; "))
}

// names are how the settings of a mode are called, and how its keys begin.
type names struct {
	mode             catalog.Mode
	key, webhook     string // variables
	kind, otherKind  string // of keys: live or test
	otherKeyVariable string
}

var (
	liveNames = names{catalog.Live, VarLiveKey, VarLiveWebhook, "live", "test", VarTestKey}
	testNames = names{catalog.Test, VarTestKey, VarTestWebhook, "test", "live", VarLiveKey}
)

func namesOf(mode catalog.Mode) names {
	if mode.Base() == catalog.Live {
		return liveNames
	}
	return testNames
}

func (k Keys) wrong(n names) []string {
	var wrong []string
	if why := n.wrongKey(k.Key.text()); why != "" {
		wrong = append(wrong, n.key+" "+why)
	}
	if why := n.wrongSecrets(k); why != "" {
		wrong = append(wrong, n.webhook+" "+why)
	}
	return wrong
}

// wrongKey says what is wrong with a key; empty: nothing.
func (n names) wrongKey(key string) string {
	begins := func(kind string, prefixes ...string) bool {
		for _, p := range prefixes {
			if strings.HasPrefix(key, p+"_"+kind+"_") {
				return true
			}
		}
		return false
	}
	switch {
	case key == "":
		return ""
	case strings.HasPrefix(key, "pk_"):
		return "holds a publishable key: set it to the secret key, which begins with sk_" + n.kind + "_"
	case begins(n.otherKind, "sk", "rk"):
		return "holds a " + n.otherKind + " key: move it to " + n.otherKeyVariable + ", and set this one to a key that begins with sk_" + n.kind + "_ or unset it"
	case !begins(n.kind, "sk", "rk") || !plain(key):
		return "does not hold a secret key of Stripe: copy the key that begins with sk_" + n.kind + "_ (or rk_" + n.kind + "_) from the API keys page of the dashboard"
	}
	return ""
}

// wrongSecrets says what is wrong with the signing secrets; empty: nothing.
func (n names) wrongSecrets(k Keys) string {
	for _, s := range k.Webhook {
		if !strings.HasPrefix(s.text(), "whsec_") || !plain(s.text()) {
			return "does not hold a signing secret: copy the one that begins with whsec_ from the endpoint's page in the dashboard, or from stripe listen"
		}
	}
	switch {
	case len(k.Webhook) > MaxWebhookSecrets:
		return "holds more than two secrets: keep the new one, and the old one while it is being rolled"
	case k.Key.Set() && len(k.Webhook) == 0:
		return "is not set, and without it no payment can be believed: create a webhook endpoint in the dashboard and copy its signing secret, which begins with whsec_"
	case !k.Key.Set() && len(k.Webhook) > 0:
		return "is set without a key: set " + n.key + " too, or unset this one"
	}
	return ""
}

// plain tells whether a text is of characters that keys have: one with a space or a line break in it
// was copied wrongly, and would not survive a header.
func plain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_'
	})
}

// onLoopback tells whether an address is of this machine: keys go there, unencrypted perhaps.
func onLoopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return false
	}
	if u.Hostname() == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.IsLoopback()
}
