package billing

import (
	"context"
	_ "embed" // invoice.html
	"html/template"
	"math/big"
	"strings"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

//go:embed invoice.html
var invoiceHTML string

var invoiceTemplate = template.Must(template.New("invoice").Parse(invoiceHTML))

// invoicePage is what the template shows. All of it is text, which the template escapes.
type invoicePage struct {
	Number, Status, Seller string
	Customer               []string
	Issued, Period         string
	Closed, ClosedAs       string
	Reference, Total       string
	Lines                  []invoicePageLine
}

type invoicePageLine struct{ Text, Dates, Quantity, Price, Amount string }

// InvoicePage is an invoice for people, to be read and printed.
func (s *Session) InvoicePage(ctx context.Context, invoiceID string) (v1.HTML, error) {
	v, err := s.GetInvoice(ctx, invoiceID)
	if err != nil {
		return "", err
	}
	page := invoicePage{
		Number: v.Number, Status: v.Status, Customer: []string{v.CustomerID}, Issued: date(v.IssuedAt),
		ClosedAs: map[string]string{"paid": "Paid", "void": "Voided"}[v.Status], Reference: v.Reference, Total: amount(v.Total, v.Currency),
	}
	if v.Period != nil {
		page.Period = dates(v.Period.Start, v.Period.End)
	}
	if !v.ClosedAt.IsZero() {
		page.Closed = date(v.ClosedAt)
	}
	apps, err := s.core.Store.Apps(ctx)
	if err != nil {
		return "", err
	}
	for _, app := range apps {
		if app.ID == s.caller.App {
			page.Seller = app.Name
		}
	}
	known, err := s.core.Store.Customers(ctx, store.CustomerQuery{App: s.caller.App, Mode: s.caller.Mode, ID: v.CustomerID, Limit: 1})
	if err != nil {
		return "", err
	}
	for _, c := range known {
		for _, text := range []string{c.Name, c.Email} {
			if text != "" {
				page.Customer = append(page.Customer, text)
			}
		}
	}
	for _, l := range v.Lines {
		line := invoicePageLine{Text: l.Description, Quantity: string(l.Quantity), Price: price(l.UnitPrice, v.Currency), Amount: amount(l.Amount, v.Currency)}
		if !l.From.IsZero() {
			line.Dates = dates(l.From, l.To)
		}
		page.Lines = append(page.Lines, line)
	}
	var out strings.Builder
	if err := invoiceTemplate.Execute(&out, page); err != nil {
		return "", fault.New("billing.InvoicePage", fault.CodeInternalError, "the invoice cannot be shown").Because(err)
	}
	return v1.HTML(out.String()), nil
}

func date(at clock.Instant) string { return at.Time().Format("2 January 2006") }

func dates(from, to clock.Instant) string { return date(from) + " to " + date(to) }

// amount is minor units of a currency as people write them.
func amount(minor int64, currency string) string {
	return price(money.Decimal(money.FormatUnits(minor, 0)), currency)
}

// price is the price of one, in minor units that may be broken, as people write it: with the
// currency's decimals, and more where it has more.
func price(minor money.Decimal, currency string) string {
	code := strings.ToUpper(currency)
	decimals := money.CurrencyDecimals(code)
	r, ok := new(big.Rat).SetString(string(minor))
	if !ok {
		return string(minor)
	}
	_, broken, _ := strings.Cut(string(minor), ".")
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)
	return r.Quo(r, new(big.Rat).SetInt(scale)).FloatString(decimals+len(broken)) + " " + code
}
