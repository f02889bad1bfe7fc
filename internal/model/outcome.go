package model

import (
	"errors"
	"fmt"
	"slices"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/wallet"
)

// Outcome is what a command came to, as far as the model has an opinion.
type Outcome struct {
	Code     fault.Code // of the error; empty: an answer
	Allowed  bool
	Matched  bool
	Existing bool
	Reasons  []wallet.Reason
	Taken    int64
	Short    int64
	Required int64 // of a denied charge
	There    int64 // of what a denied charge required
	Hold     int64
	Grants   []int64
	Invoices []int64
	Draw     []wallet.Drawn

	CanContinue bool // a charge that is being made will cover it

	Match    wallet.MatchStatus // of the usage that was recorded; empty: none
	Quantity int64              // of the usage that was recorded
}

// OutcomeOf reads a subject's answer.
func OutcomeOf(a wallet.Answer, err error) Outcome {
	if err != nil {
		var missing *wallet.Missing
		if errors.As(err, &missing) {
			return Outcome{Code: "missing"}
		}
		return Outcome{Code: fault.CodeOf(err)}
	}
	o := Outcome{
		Allowed: a.Allowed, Matched: a.Matched, Existing: a.Existing,
		Reasons: a.Reasons, Taken: a.Taken, Short: a.Short, Draw: a.Draw, CanContinue: a.CanContinue,
	}
	if a.Shortage != nil {
		o.Required, o.There = a.Shortage.Required, a.Shortage.Available
	}
	if a.Hold != nil {
		o.Hold = a.Hold.N
	}
	for i := range a.Grants {
		o.Grants = append(o.Grants, a.Grants[i].N)
	}
	for i := range a.Invoices {
		o.Invoices = append(o.Invoices, a.Invoices[i].N)
	}
	if a.Usage != nil {
		o.Match, o.Quantity = a.Usage.Match, a.Usage.Quantity
	}
	return o
}

// equal compares outcomes; nothing and an empty list are the same.
func (o *Outcome) equal(p *Outcome) bool {
	return o.Code == p.Code && o.Allowed == p.Allowed && o.Matched == p.Matched && o.Existing == p.Existing &&
		slices.Equal(o.Reasons, p.Reasons) && o.Taken == p.Taken && o.Short == p.Short &&
		o.Required == p.Required && o.There == p.There && o.Hold == p.Hold && slices.Equal(o.Grants, p.Grants) &&
		slices.Equal(o.Invoices, p.Invoices) && slices.Equal(o.Draw, p.Draw) && o.CanContinue == p.CanContinue && o.Match == p.Match && o.Quantity == p.Quantity
}

// String says in one line what the outcome is.
func (o Outcome) String() string {
	if o.Code != "" {
		return string(o.Code)
	}
	type plain Outcome
	return fmt.Sprintf("%+v", plain(o))
}
