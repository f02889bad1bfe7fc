package mail_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/mail"
)

var update = flag.Bool("update", false, "rewrite the letters in testdata")

func load(t *testing.T, folder string) *mail.Templates {
	t.Helper()
	templates, err := mail.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	return templates
}

// folder is one with files.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func render(t *testing.T, templates *mail.Templates, l mail.Letter) mail.Rendered {
	t.Helper()
	r, err := templates.Render(l)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Every kind reads as it does in testdata, with all facts and with few.
func TestLettersAreAsTheyWere(t *testing.T) {
	templates := load(t, "")
	for _, kind := range mail.Kinds() {
		for i, suffix := range []string{"", "_sparse"} {
			r := render(t, templates, mail.Samples(kind)[i])
			for ending, got := range map[string]string{".txt": "Subject: " + r.Subject + "\n\n" + r.Text, ".html": r.HTML} {
				path := filepath.Join("testdata", string(kind)+suffix+ending)
				if *update {
					if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("%s is not current; look at the difference, and run: go test ./mail -update\n%s", path, diff)
				}
			}
		}
	}
}

// What a letter has to tell is told in both of its forms.
func TestEveryKindTellsItsFacts(t *testing.T) {
	templates := load(t, "")
	const left, pack, paid, at = "12.5", "Starter pack", "visa •••• 4242", "2 January 2026 at 16:04 CET"
	for kind, facts := range map[mail.Kind][]string{
		mail.TopUpReceipt:          {"1,000 API calls", left, pack, "$9.00", "$10.00", paid, at, "2026-0001"},
		mail.LowBalance:            {left + " API calls", "below 50"},
		mail.CreditsExpiring:       {"1,000 of your API calls", at, left},
		mail.AutoTopUpSucceeded:    {"1,000 API calls", "below 50", left, pack, "$10.00", paid, at, "2026-0001"},
		mail.AutoTopUpFailed:       {"1,000 API calls", "$10.00", paid, "Your card has expired.", left, at},
		mail.AutoTopUpActionNeeded: {"1,000 API calls", "$10.00", paid, left},
		mail.TrialEnding:           {"Pro", "$10.00", paid, at},
		mail.PaymentFailed:         {"Pro", "$10.00", paid, "Your card has expired.", at, "2026-0001"},
	} {
		r := render(t, templates, mail.Samples(kind)[0])
		for _, fact := range append(facts, "Hello Ann Example,", "Acme") {
			if !strings.Contains(r.Text, fact) || !strings.Contains(r.HTML, fact) {
				t.Errorf("%s does not say %q in both forms", kind, fact)
			}
		}
		if !strings.Contains(r.Text, ": https://acme.example.com/billing?a=1&b=2\n") ||
			!strings.Contains(r.HTML, `href="https://acme.example.com/billing?a=1&amp;b=2"`) {
			t.Errorf("%s does not link to where to act", kind)
		}
		for _, remote := range []string{"<img", "<link", "<script", "url(", "src="} {
			if strings.Contains(r.HTML, remote) {
				t.Errorf("%s has %s", kind, remote)
			}
		}
	}
}

// What a kind cannot do without is asked for, and nothing else is.
func TestMissingFacts(t *testing.T) {
	remove := map[string]func(*mail.Letter){
		"app": func(l *mail.Letter) { l.App = " \n" }, "credit": func(l *mail.Letter) { l.Credit = "" },
		"credits": func(l *mail.Letter) { l.Credits = "" }, "balance": func(l *mail.Letter) { l.Balance = "" },
		"plan": func(l *mail.Letter) { l.Plan = "" }, "amount": func(l *mail.Letter) { l.Amount = "" },
		"when": func(l *mail.Letter) { l.When = 0 }, "link": func(l *mail.Letter) { l.Link = "" },
	}
	for kind, want := range map[mail.Kind]string{
		mail.TopUpReceipt: "amount", mail.LowBalance: "balance credit", mail.CreditsExpiring: "credit credits when",
		mail.AutoTopUpSucceeded: "amount credit credits", mail.AutoTopUpFailed: "credit", mail.AutoTopUpActionNeeded: "credit link",
		mail.TrialEnding: "plan when", mail.PaymentFailed: "plan",
	} {
		var needed []string
		for _, field := range []string{"amount", "app", "balance", "credit", "credits", "link", "plan", "when"} {
			l := mail.Samples(kind)[0]
			remove[field](&l)
			if err := l.Check(); err != nil {
				if f := fault.As(err); f.Code != fault.CodeMissingField || f.Field != field {
					t.Errorf("%s without %s: %v", kind, field, err)
				}
				needed = append(needed, field)
			}
		}
		if got := strings.Join(needed, " "); got != strings.Join(slices.Sorted(slices.Values(strings.Fields("app "+want))), " ") {
			t.Errorf("%s needs %s", kind, got)
		}
	}
}

func TestLettersThatCannotBeWritten(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*mail.Letter)
		want   fault.Code
		field  string
	}{
		"no kind":                         {func(l *mail.Letter) { l.Kind = "chain" }, fault.CodeInvalidRequest, "kind"},
		"script as a link":                {func(l *mail.Letter) { l.Link = "javascript:alert(1)" }, fault.CodeInvalidRequest, "link"},
		"path as a link":                  {func(l *mail.Letter) { l.Link = "/billing" }, fault.CodeInvalidRequest, "link"},
		"two lines of link":               {func(l *mail.Letter) { l.Link = "https://acme.example\nPay here: https://evil.example" }, fault.CodeInvalidRequest, "link"},
		"words in a link":                 {func(l *mail.Letter) { l.Link = "https://acme.example/ or else" }, fault.CodeInvalidRequest, "link"},
		"a link that reads otherwise":     {func(l *mail.Letter) { l.Link = "https://acme.example/\u202egnillib" }, fault.CodeInvalidRequest, "link"},
		"no zone":                         {func(l *mail.Letter) { l.Zone = "Mars/Olympus" }, fault.CodeInvalidRequest, "zone"},
		"no address":                      {func(l *mail.Letter) { l.To = "" }, fault.CodeMailRefused, "to"},
		"no domain":                       {func(l *mail.Letter) { l.To = "ann" }, fault.CodeMailRefused, "to"},
		"two addresses":                   {func(l *mail.Letter) { l.To = "ann@example.com,bob@example.com" }, fault.CodeMailRefused, "to"},
		"a header":                        {func(l *mail.Letter) { l.To = "ann@example.com\r\nBcc: bob@example.com" }, fault.CodeMailRefused, "to"},
		"a name":                          {func(l *mail.Letter) { l.To = "Ann <ann@example.com>" }, fault.CodeMailRefused, "to"},
		"a quoted part":                   {func(l *mail.Letter) { l.To = `"ann>bob"@example.com` }, fault.CodeMailRefused, "to"},
		"an address that reads otherwise": {func(l *mail.Letter) { l.To = "ann@\u202eexample.com" }, fault.CodeMailRefused, "to"},
		"too long":                        {func(l *mail.Letter) { l.To = "ann@" + strings.Repeat("x.", 130) + "example" }, fault.CodeMailRefused, "to"},
	} {
		t.Run(name, func(t *testing.T) {
			l := receipt()
			tc.change(&l)
			_, err := load(t, "").Render(l)
			if f := fault.As(err); f == nil || f.Code != tc.want || f.Field != tc.field {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestTestLettersSaySo(t *testing.T) {
	l := receipt()
	l.Test = true
	if r := render(t, load(t, ""), l); r.Subject != "[test] Your receipt from Acme (2026-0001)" {
		t.Error(r.Subject)
	}
}

// No text of a letter becomes a header, a line of its own, markup, or a link.
func TestTextsStayTexts(t *testing.T) {
	const evil = "x\r\nBcc: eve@example.com\r\n\r\n\u2028<script>alert(1)</script>\x00\u202e"
	l := receipt()
	l.Name, l.App, l.Credit, l.Plan, l.Amount, l.Card, l.Invoice, l.Reason = evil, evil, evil, evil, evil, evil, evil, evil
	l.Credits, l.Balance, l.Threshold = evil, evil, evil
	l.Lines = []mail.Line{{Text: evil, Quantity: evil, Amount: evil}}
	for _, kind := range mail.Kinds() {
		l.Kind = kind
		b := newMailbox(t, nil)
		if err := newSender(t, "smtp://"+b.addr+"?from=billing@acme.example", nil).Send(t.Context(), l, "k\r\nBcc: eve@example.com"); err != nil {
			t.Fatal(err)
		}
		_, m := arrived(t, b)
		if len(m.Header) != 8 || m.Header.Get("Bcc") != "" {
			t.Errorf("%s: headers %v", kind, m.Header)
		}
		both := parts(t, m)
		text, html := both[0].Text, both[1].Text
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "Bcc") || strings.HasPrefix(line, "<script") || strings.ContainsAny(line, "\r\x00\u2028\u202e") {
				t.Errorf("%s: line %q", kind, line)
			}
		}
		if strings.Contains(html, "<script") {
			t.Errorf("%s: there is a script in the page", kind)
		}
	}
}

func TestGreeting(t *testing.T) {
	for name, want := range map[string]string{
		"": "Hello,", "Ann": "Hello Ann,", "  Ann \n O'Neill ": "Hello Ann O'Neill,", "J. R. R. Tolkien": "Hello J. R. R. Tolkien,", "Åsa": "Hello Åsa,",
		"Win at evil.example": "Hello,", "https://evil": "Hello,", "evil/x": "Hello,", "eve@evil": "Hello,", "<b>": "Hello,",
	} {
		l := receipt()
		l.Name = name
		if got, _, _ := strings.Cut(render(t, load(t, ""), l).Text, "\n"); got != want {
			t.Errorf("%q is greeted with %q, want %q", name, got, want)
		}
	}
}

func TestLongTextsAreCut(t *testing.T) {
	l := receipt()
	l.App, l.Reason = strings.Repeat("é", mail.MaxFact+1), strings.Repeat("x", mail.MaxFact)
	l.Kind = mail.PaymentFailed
	if r := render(t, load(t, ""), l); !strings.Contains(r.Text, l.Reason) || strings.Contains(r.Text, l.App) ||
		!strings.Contains(r.Text, strings.Repeat("é", mail.MaxFact-1)+"…") {
		t.Error(r.Text)
	}
	l.Kind = mail.TopUpReceipt
	if r := render(t, load(t, ""), l); len([]rune(r.Subject)) != mail.MaxSubject || !strings.HasSuffix(r.Subject, "…") {
		t.Error(r.Subject)
	}
}

func TestReplacedTemplates(t *testing.T) {
	templates := load(t, folder(t, map[string]string{
		"low_balance.subject": "{{.App}}:\n{{.Balance}} left & more\n",
		"low_balance.txt":     `{{define "closing"}}Yours, {{.App}}{{end}}{{.Greeting}} {{.Credits}} {{.Balance}} {{.Threshold}} {{.When}} {{.Link}} {{template "closing" .}}`,
		"low_balance.html":    `<title>{{.Subject}}</title>{{range .Lines}}<i>{{.Text}}</i>{{end}}{{template "button" (.Button "Go")}}`,
		"layout.txt":          `{{define "opening"}}Dear {{.Name}}{{end}}{{define "receipt"}}{{end}}{{define "closing"}}Bye{{end}}`,
		"README.md":           "what these are",
	}))
	want := mail.Rendered{
		Subject: "Acme: 12.5 left & more",
		Text:    "Hello Ann Example, 1,000 12.5 50 2 January 2026 at 16:04 CET https://acme.example.com/billing?a=1&b=2 Yours, Acme\n",
		HTML: "<title>Acme: 12.5 left &amp; more</title><i>Starter pack</i><i>Support, &lt;i&gt;January&lt;/i&gt;</i>" +
			`<p style="margin:24px 0 16px;"><a class="button" href="https://acme.example.com/billing?a=1&amp;b=2" ` +
			`style="display:inline-block;padding:11px 20px;border-radius:6px;background:#1c1c1a;color:#ffffff;font-weight:bold;text-decoration:none;">Go</a></p>` + "\n",
	}
	if diff := cmp.Diff(want, render(t, templates, mail.Samples(mail.LowBalance)[0])); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// The others are as they were, in the new layout.
	r := render(t, templates, mail.Samples(mail.TrialEnding)[0])
	if r.Subject != "Your trial of Pro is about to end" || !strings.HasPrefix(r.Text, "Dear Ann Example\n") || !strings.HasSuffix(r.Text, "Bye\n") {
		t.Errorf("%+v", r)
	}
}

func TestBrokenTemplates(t *testing.T) {
	for name, tc := range map[string]struct{ file, text, want string }{
		"does not parse":         {"low_balance.txt", "one\ntwo {{if}}", "low_balance.txt:2: missing value for if"},
		"html that does not":     {"low_balance.html", "<p>\n\n{{end}}", "low_balance.html:3: unexpected {{end}}"},
		"no such field":          {"low_balance.html", "<p>\n{{.Balanse}}", "low_balance.html:2:2: executing"},
		"field of few letters":   {"low_balance.txt", "x{{if not .Name}}\n{{.Nome}}{{end}}", "low_balance.txt:2:2: executing"},
		"no such function":       {"low_balance.subject", "{{shout .App}}", `low_balance.subject:1: function "shout" not defined`},
		"no such template":       {"low_balance.txt", "{{template \"footer\" .}}", "low_balance.txt:1:11: executing"},
		"html that cannot be":    {"low_balance.html", "<a href='{{if .Link}}'{{end}}>x</a>", "low_balance.html:1:14: {{if}} branches end in different contexts"},
		"in the layout":          {"layout.txt", "{{define \"opening\"}}\n{{.Nobody}}{{end}}{{define \"receipt\"}}{{end}}{{define \"closing\"}}{{end}}", "layout.txt:2:2: executing"},
		"empty":                  {"low_balance.subject", "{{/* nothing */}}\n", "low_balance.subject writes nothing"},
		"no letter has the name": {"low_balanse.txt", "x", "low_balanse.txt takes the place of no mail template; there are auto_top_up_action_needed.html"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, map[string]string{tc.file: tc.text})
			_, err := mail.Load(dir)
			f := fault.As(err)
			if f == nil || f.Code != fault.CodeInvalidConfig || !strings.Contains(f.Message, filepath.Join(dir, tc.want)) {
				t.Errorf("%v, want %s", err, tc.want)
			}
		})
	}
	if _, err := mail.Load(filepath.Join(t.TempDir(), "nowhere")); fault.CodeOf(err) != fault.CodeInvalidConfig {
		t.Error(err)
	}
	// What cannot be read is not passed over.
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "low_balance.txt"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := mail.Load(dir); fault.CodeOf(err) != fault.CodeInvalidConfig {
		t.Error(err)
	}
}
