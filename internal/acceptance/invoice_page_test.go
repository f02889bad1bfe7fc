package acceptance

import (
	"net/http"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
)

// TestInvoicePage reads what an invoice shows to people: everything that was agreed, in the currency's
// own decimals, and nothing that a name could smuggle in.
func TestInvoicePage(t *testing.T) {
	overOffice(t, func(t *testing.T, o *office) {
		hostile := `<script>alert("1")</script> & 'Sons'`
		on := true
		for currency, id := range map[string]string{"usd": "dollars", "jpy": "yen", "kwd": "dinars"} {
			o.plan(v1.CreatePlan{ID: id, Name: hostile + " " + id, Price: 123450, Currency: currency, Credits: []v1.PlanCredit{{
				CreditID: "calls", Amount: "10", Overage: &v1.OverageOverride{Enabled: &on, Behavior: "invoice_at_billing", PricePerUnit: "2.5", Currency: currency},
			}}})
		}
		_, err := o.SaveCustomer(t.Context(), "c", v1.SaveCustomer{Name: `Ann </dd><img src=x onerror=alert(1)>`, Email: "ann@example.test"})
		noError(t, err)
		page := func(customer, id string) (v1.Invoice, string) {
			t.Helper()
			sub := o.subscribe(v1.Subscribe{CustomerID: customer, PlanID: id})
			o.spend(customer, "13")
			o.clock.Set(sub.Cycle.End)
			all := o.invoices(customer)
			v := all[len(all)-1]
			r := o.call(o.secret, http.MethodGet, "/v1/invoices/"+v.ID+"/page", nil)
			equal(t, "status", r.status, 200)
			equal(t, "content type", r.header.Get("Content-Type"), "text/html; charset=utf-8")
			if policy := r.header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none';") {
				t.Errorf("the policy is %q", policy)
			}
			return v, string(r.body)
		}
		v, text := page("c", "dollars")
		for what, want := range map[string]string{
			"number": v.Number, "seller": o.app.Name, "customer": "<div>c</div>", "mail": "ann@example.test", "issued": "<dd>1 April 2026</dd>",
			"period": "1 April 2026 to 1 May 2026", "status": ">open<", "plan": "1234.50 USD", "price of overage": "0.025 USD",
			"overage": "<td>0.08 USD</td>", "total": "<td>1234.58 USD</td>", "name": "&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt; &amp; &#39;Sons&#39; dollars",
			"print": "@media print",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", what, want, text)
			}
		}
		for _, bad := range []string{"<script", "<img", "javascript:", "http://", "https://", "url("} {
			if strings.Contains(text, bad) {
				t.Errorf("there is %q in\n%s", bad, text)
			}
		}
		_, text = page("y", "yen")
		if !strings.Contains(text, "<td>123458 JPY</td>") || !strings.Contains(text, "2.5 JPY") {
			t.Errorf("yen:\n%s", text)
		}
		_, text = page("d", "dinars")
		if !strings.Contains(text, "<td>123.458 KWD</td>") || !strings.Contains(text, "0.0025 KWD") {
			t.Errorf("dinars:\n%s", text)
		}

		// To the customer's favour, paid and void.
		o.subscribe(v1.Subscribe{CustomerID: "f", PlanID: "plus"})
		less := o.subscribe(v1.Subscribe{CustomerID: "f", PlanID: "basic", Charge: "difference"})
		closed, err := o.InvoicePage(t.Context(), less.Invoices[0].ID)
		noError(t, err)
		for _, want := range []string{">paid<", "<dt>Paid</dt>", "<td>-30.00 USD</td>", "<td>0.00 USD</td>"} {
			if !strings.Contains(string(closed), want) {
				t.Errorf("no %q in\n%s", want, closed)
			}
		}
		first := o.invoices("f")[0]
		_, err = o.VoidInvoice(t.Context(), first.ID, v1.CloseInvoice{Reference: "a <b>mistake</b>"})
		noError(t, err)
		void, err := o.InvoicePage(t.Context(), first.ID)
		noError(t, err)
		for _, want := range []string{`<main class="void">`, "<dt>Voided</dt>", "a &lt;b&gt;mistake&lt;/b&gt;"} {
			if !strings.Contains(string(void), want) {
				t.Errorf("no %q in\n%s", want, void)
			}
		}
		_, err = o.InvoicePage(t.Context(), "inv_nothing")
		refused(t, err, fault.CodeInvoiceNotFound, 404)
	})
}
