package stripefake

import (
	"context"
	"net/http"
	"time"
)

// command is a control as a POST below /_control/, with a form like the API's.
type command struct {
	params *spec
	run    func(context.Context, *Fake, *form) (any, error)
}

// simple is a command of one id that answers with nothing.
func simple(name string, do func(*Fake, string) error) command {
	return command{parseSpec(name + "!"), func(_ context.Context, f *Fake, p *form) (any, error) {
		return nil, do(f, p.text(name))
	}}
}

// named is a command that answers with the id of what it made.
func named(words string, do func(*Fake, *form) (string, error)) command {
	return command{parseSpec(words), func(_ context.Context, f *Fake, p *form) (any, error) {
		id, err := do(f, p)
		return map[string]ref{"id": ref(id)}, err
	}}
}

// quiet is a command that answers with nothing.
func quiet(words string, do func(*Fake, *form) error) command {
	return command{parseSpec(words), func(_ context.Context, f *Fake, p *form) (any, error) { return nil, do(f, p) }}
}

// sure is a command that cannot fail.
func sure(words string, do func(*Fake, *form)) command {
	return quiet(words, func(f *Fake, p *form) error { do(f, p); return nil })
}

const faultKinds = "rate_limit|lock_timeout|error_before|error_after|reset_before|reset_after|hold"

// commands are named as the methods are that they call. Durations are in seconds.
var commands = map[string]command{
	"pay":         quiet("session! card", func(f *Fake, p *form) error { return f.Pay(p.text("session"), p.text("card")) }),
	"pay_late":    simple("session", (*Fake).PayLate),
	"settle_late": simple("session", (*Fake).SettleLate),
	"fail_late":   simple("session", (*Fake).FailLate),
	"expire":      simple("session", (*Fake).Expire),

	"decline_next":           sure("reason!", func(f *Fake, p *form) { f.DeclineNext(p.text("reason")) }),
	"decline_none":           sure("", func(f *Fake, _ *form) { f.DeclineNone() }),
	"require_authentication": sure("", func(f *Fake, _ *form) { f.RequireAuthentication() }),
	"settle":                 simple("payment", (*Fake).Settle),
	"unsettle": quiet("payment! reason!", func(f *Fake, p *form) error {
		return f.Unsettle(p.text("payment"), p.text("reason"))
	}),
	"refund": named("payment! amount:int", func(f *Fake, p *form) (string, error) {
		return f.Refund(p.text("payment"), p.num("amount"))
	}),
	"fail_refund": simple("refund", (*Fake).FailRefund),
	"open_dispute": named("payment! amount:int reason inquiry:bool", func(f *Fake, p *form) (string, error) {
		return f.OpenDispute(Dispute{p.text("payment"), p.num("amount"), p.text("reason"), p.is("inquiry")})
	}),
	"close_dispute": quiet("dispute! status:won|lost|warning_closed!", func(f *Fake, p *form) error {
		return f.CloseDispute(p.text("dispute"), p.text("status"))
	}),

	"create_subscription": named("customer! price! card metadata[*]", func(f *Fake, p *form) (string, error) {
		return f.CreateSubscription(Subscription{p.text("customer"), p.text("price"), p.text("card"), p.pairs("metadata")})
	}),
	"renew": named("subscription!", func(f *Fake, p *form) (string, error) { return f.Renew(p.text("subscription")) }),
	"fail_renewal": named("subscription! reason!", func(f *Fake, p *form) (string, error) {
		return f.FailRenewal(p.text("subscription"), p.text("reason"))
	}),
	"pay_invoice":      simple("invoice", (*Fake).PayInvoice),
	"end_subscription": simple("subscription", (*Fake).EndSubscription),
	"add_price": quiet("id! product! currency! amount:int! interval:day|week|month|year", func(f *Fake, p *form) error {
		return f.AddPrice(Price{p.text("id"), p.text("product"), p.text("currency"), p.num("amount"), p.text("interval")})
	}),

	"advance":         sure("seconds:int!", func(f *Fake, p *form) { f.Advance(p.seconds("seconds")) }),
	"set_api_version": sure("version!", func(f *Fake, p *form) { f.SetAPIVersion(p.text("version")) }),
	"set_policy": sure("duplicates:int twins:int shuffle:bool delay:int drop_thousandth:int fail_first:int", func(f *Fake, p *form) {
		f.SetPolicy(Policy{
			int(p.num("duplicates")), int(p.num("twins")), p.is("shuffle"),
			p.seconds("delay"), int(p.num("drop_thousandth")), int(p.num("fail_first")),
		})
	}),
	"add_endpoint": quiet("url! secret! types[*]", func(f *Fake, p *form) error {
		return f.AddEndpoint(Endpoint{p.text("url"), p.text("secret"), p.texts("types")})
	}),
	"roll_secret": quiet("url! secret! keep:int", func(f *Fake, p *form) error {
		return f.RollSecret(p.text("url"), p.text("secret"), p.seconds("keep"))
	}),
	"redeliver": named("event! as_new:bool", func(f *Fake, p *form) (string, error) {
		return f.Redeliver(p.text("event"), p.is("as_new"))
	}),
	"deliver": {parseSpec(""), func(ctx context.Context, f *Fake, _ *form) (any, error) {
		return toldAttempts(f.Deliver(ctx))
	}},
	"run": {parseSpec("seconds:int!"), func(ctx context.Context, f *Fake, p *form) (any, error) {
		return toldAttempts(f.Run(ctx, p.seconds("seconds")))
	}},

	"fail": sure("kind:"+faultKinds+"! path", func(f *Fake, p *form) { f.Fail(Fault{FaultKind(p.text("kind")), p.text("path")}) }),
	"fail_randomly": sure("thousandths:int! kinds[*]:"+faultKinds, func(f *Fake, p *form) {
		var kinds []FaultKind
		for _, kind := range p.texts("kinds") {
			kinds = append(kinds, FaultKind(kind))
		}
		f.FailRandomly(int(p.num("thousandths")), kinds...)
	}),
	"release": sure("", func(f *Fake, _ *form) { f.Release() }),
	"requests": {parseSpec(""), func(_ context.Context, f *Fake, _ *form) (any, error) {
		return f.Requests(), nil
	}},
}

func (n *form) seconds(path ...string) time.Duration {
	return time.Duration(n.num(path...)) * time.Second
}

// toldAttempt is an Attempt whose error can be written.
type toldAttempt struct {
	Attempt
	Err string
}

func toldAttempts(all []Attempt, err error) (any, error) {
	told := []toldAttempt{}
	for _, a := range all {
		t := toldAttempt{Attempt: a}
		if a.Err != nil {
			t.Err = a.Err.Error()
		}
		told = append(told, t)
	}
	return told, err
}

func (f *Fake) addControls(mux *http.ServeMux) {
	mux.HandleFunc("POST /_control/{name}", func(w http.ResponseWriter, r *http.Request) {
		result, err := f.control(w, r)
		status, body := http.StatusOK, []byte("{}\n")
		if err != nil {
			e := *asAPIError(err)
			// The objects belong to the lock; a control tells what went wrong.
			e.body.PaymentIntent, e.body.PaymentMethod, e.body.SetupIntent = nil, nil, nil
			a := refusal("", &e)
			status, body = a.status, a.body
		} else if result != nil {
			body, _ = encode(result) // plain values: it cannot fail
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(body) // a client that has gone away is not our error
	})
}

func (f *Fake) control(w http.ResponseWriter, r *http.Request) (any, error) {
	known, ok := commands[r.PathValue("name")]
	if !ok {
		return nil, failure(http.StatusNotFound, typeInvalid, "", "There is no control "+r.PathValue("name")+".")
	}
	values, err := readValues(w, r)
	if err != nil {
		return nil, err
	}
	params, err := parseForm(values)
	if err == nil {
		err = known.params.check(params)
	}
	if err != nil {
		return nil, err
	}
	return known.run(r.Context(), f, params)
}
