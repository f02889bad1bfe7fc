package wallet

import (
	"testing"

	"github.com/seed42445051/scrip/catalog"
)

// TestRefundedOf: what goes back of one line is that line's alone, and what is of none is shared by all
// in proportion to what is left of each.
func TestRefundedOf(t *testing.T) {
	line := func(minor int64) OrderLine { return OrderLine{Product: "p", Quantity: 1, Minor: minor} }
	refund := func(minor int64, lines ...RefundLine) OrderRefund {
		return OrderRefund{Minor: minor, Status: RefundSucceeded, Lines: lines}
	}
	for name, c := range map[string]struct {
		refunds []OrderRefund
		dispute DisputeStatus
		want    [3]int64
	}{
		"nothing":          {},
		"of all":           {refunds: []OrderRefund{refund(50)}, want: [3]int64{500, 500, 500}},
		"of one":           {refunds: []OrderRefund{refund(5, RefundLine{0, 5})}, want: [3]int64{500, 0, 50}},
		"of one whole":     {refunds: []OrderRefund{refund(10, RefundLine{0, 10})}, want: [3]int64{1000, 0, 100}},
		"one, then of all": {refunds: []OrderRefund{refund(10, RefundLine{0, 10}), refund(45)}, want: [3]int64{1000, 500, 550}},
		"of all, then one": {refunds: []OrderRefund{refund(45), refund(10, RefundLine{0, 10})}, want: [3]int64{1000, 500, 550}},
		"both":             {refunds: []OrderRefund{refund(100, RefundLine{0, 10}, RefundLine{1, 90})}, want: [3]int64{1000, 1000, 1000}},
		"failed":           {refunds: []OrderRefund{{ID: "re", Minor: 10, Status: RefundFailed, Lines: []RefundLine{{0, 10}}}}},
		"asked":            {refunds: []OrderRefund{{Minor: 10, Status: RefundAsked, Lines: []RefundLine{{0, 10}}}}},
		"lost":             {dispute: DisputeLost, want: [3]int64{1000, 1000, 1000}},
	} {
		o := &Order{
			Kind: ProductOrder, Status: OrderPaid, Minor: 100, Paid: 100, Refunds: c.refunds, Dispute: c.dispute,
			Cart: []OrderLine{line(10), line(90), line(0)}, Items: []OrderItem{{Line: 0}, {Line: 1}, {Line: 2}},
			Grants: []OrderGrant{{Grant: 1, Amount: 1000}, {Grant: 2, Amount: 1000}, {Grant: 3, Amount: 1000}},
		}
		for i, want := range c.want {
			if got := o.Grants[i].target(o); got != want {
				t.Errorf("%s: %d of grant %d are to be taken back, want %d", name, got, i+1, want)
			}
		}
	}
}

// TestCartQuote: an order of products holds what each costs and grants, under the attachment's terms.
func TestCartQuote(t *testing.T) {
	days := 10
	credit := &catalog.Credit{ID: "crd", Name: "Calls", ExpiresAfterDays: 30, Rollover: catalog.Rollover{Percent: 50}}
	product := func(id string, price catalog.Price) *catalog.Product {
		price.Currency = "usd"
		return &catalog.Product{ID: id, Name: id, Price: price, Credits: []catalog.ProductCredit{{ID: "item " + id, Credit: "crd", Amount: 7, ExpiresAfterDays: &days}}}
	}
	defs := &catalog.Definitions{
		Credits: map[string]*catalog.Credit{"crd": credit},
		Products: map[string]*catalog.Product{
			"once":   product("once", catalog.Price{Kind: catalog.OneTimePrice, Minor: 1001, DiscountBps: 1000}),
			"wish":   product("wish", catalog.Price{Kind: catalog.OneTimePrice, Minor: 100, PayWhatYouWant: true, SuggestedMinor: 300}),
			"recurs": product("recurs", catalog.Price{Kind: catalog.RecurringPrice, Minor: 100, Every: catalog.Interval{Count: 1, Unit: catalog.Month}}),
		},
	}
	wish := int64(250)
	o, err := (&PlaceOrder{Kind: ProductOrder, Cart: []CartItem{
		{Product: "once", Quantity: 3}, {Product: "wish", Minor: &wish, Credits: map[string]int64{"crd": 9}},
	}}).Quote(defs)
	if err != nil {
		t.Fatal(err)
	}
	if o.Minor != 3*900+250 || len(o.Items) != 2 || o.Items[0].Amount != 21 || o.Items[1].Amount != 9 || o.Items[1].Line != 1 {
		t.Errorf("%+v", o)
	}
	if it := o.Items[0]; it.ExpiresAfterDays != 10 || it.Rollover.Percent != 50 || it.Category != catalog.Paid || it.Item != "item once" {
		t.Errorf("%+v", it)
	}
	low := int64(99)
	for name, cart := range map[string][]CartItem{
		"nothing": nil, "unknown": {{Product: "none"}}, "a plan": {{Product: "recurs"}}, "twice": {{Product: "once"}, {Product: "once"}},
		"less than the least": {{Product: "wish", Minor: &low}}, "too many": {{Product: "once", Quantity: MaxOrderQuantity + 1}},
		"another credit": {{Product: "once", Credits: map[string]int64{"none": 1}}}, "no credits": {{Product: "once", Credits: map[string]int64{"crd": 0}}},
	} {
		if o, err := (&PlaceOrder{Kind: ProductOrder, Cart: cart}).Quote(defs); err == nil {
			t.Errorf("%s: %+v", name, o)
		}
	}
}
