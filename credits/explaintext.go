package credits

import (
	"fmt"

	"github.com/seed42445051/scrip/wallet"
)

// summary says in a sentence what an entry did.
func (r *reading) summary(e *wallet.Entry) string {
	amount := decimal(max(e.Amount, -e.Amount), r.precision(e.Credit))
	unit := "credits"
	if def, ok := r.defs.Credits[e.Credit]; ok {
		unit = def.Unit
	}
	grants := fmt.Sprintf("%d grants", len(e.Slices))
	if len(e.Slices) == 1 {
		grants = "one grant"
	}
	switch e.Type {
	case wallet.CreditAdded, wallet.AutoTopUp:
		return fmt.Sprintf("%s %s were granted.", amount, unit)
	case wallet.CreditDeducted:
		switch {
		case e.RefType == wallet.RefRepayment:
			return fmt.Sprintf("%s %s of a new grant repaid overage.", amount, unit)
		case drew(e):
			return fmt.Sprintf("%s %s were taken from %s, in their draw order.", amount, unit, grants)
		}
		return fmt.Sprintf("%s %s were taken from %s that a reservation had set them aside in.", amount, unit, grants)
	case wallet.CreditExpired:
		return fmt.Sprintf("%s %s were unused when their grant ended, and expired.", amount, unit)
	case wallet.CreditRolledOver:
		return fmt.Sprintf("%s %s moved between an ended grant and the grant it rolled over into.", amount, unit)
	case wallet.RolloverForfeited:
		return fmt.Sprintf("%s %s had rolled over as often as they may, and were forfeited.", amount, unit)
	case wallet.OverageCharged:
		return fmt.Sprintf("%s %s were used beyond zero and became overage.", amount, unit)
	case wallet.OverageReset:
		return fmt.Sprintf("%s %s of overage were taken away.", amount, unit)
	case wallet.Refund:
		if e.Amount > 0 {
			return fmt.Sprintf("%s %s of usage were given back to %s that they came from.", amount, unit, grants)
		}
		return fmt.Sprintf("%s %s were taken back because their price was refunded.", amount, unit)
	case wallet.Revoked:
		return fmt.Sprintf("%s %s were revoked.", amount, unit)
	case wallet.HoldPlaced:
		if !drew(e) {
			return fmt.Sprintf("%s %s were frozen for a dispute.", amount, unit)
		}
		return fmt.Sprintf("%s %s were set aside in %s, in their draw order.", amount, unit, grants)
	case wallet.HoldReleased:
		return fmt.Sprintf("%s %s went back to %s that they were set aside in.", amount, unit, grants)
	default:
		return fmt.Sprintf("The balance was adjusted by hand by %s %s.", decimal(e.Amount, r.precision(e.Credit)), unit)
	}
}
