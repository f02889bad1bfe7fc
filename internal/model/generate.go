package model

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/wallet"
)

// command makes a command of a kind that has a fair chance to mean something in the model's
// present wallet.
func (k *maker) command(kind Kind) wallet.Command {
	r := k.r
	switch kind {
	case Give:
		return k.give()
	case Deduct:
		return &wallet.Deduct{Charge: k.charge(0), Note: k.note()}
	case Track:
		return &wallet.Track{Charge: k.charge(pick(r, 0, direct, direct, direct)), Note: k.note()}
	case Reserve:
		return &wallet.Reserve{Charge: k.charge(0), TTL: k.ttl(), Note: k.note()}
	case Commit:
		return k.commit()
	case Release:
		c := &wallet.Release{Hold: k.hold(), Note: k.note()}
		if chance(r, 2) {
			c.ErrorCode = strings.Repeat("e", wallet.MaxErrorCodeLength+r.IntN(2))
		}
		return c
	case Extend:
		return &wallet.Extend{Hold: k.hold(), TTL: k.ttl()}
	case Revoke:
		return &wallet.RevokeGrant{
			Grant: k.grant(), Amount: k.maybe(k.amount("")), Entry: pick(r, "", "", wallet.Revoked, wallet.Refund), Note: k.note(),
		}
	case Freeze:
		return &wallet.Freeze{Grant: k.grant(), Frozen: chance(r, 60), Note: k.note()}
	case Adjust:
		credit := k.credit()
		return &wallet.Adjust{Credit: credit, Delta: k.amount(credit) * pick[int64](r, 1, -1, -1), Note: k.note()}
	case Reverse:
		return k.reverse()
	case Subscribe:
		return k.subscribe()
	case Unsubscribe:
		return k.unsubscribe()
	case Pause:
		return &wallet.PauseSubscription{Resume: k.m.plan != nil && k.m.plan.paused != 0 != chance(r, 10), Note: k.note()}
	case Edit:
		return k.edit()
	case CloseInvoice:
		return k.closeInvoice()
	case Buy:
		return k.buy()
	case News:
		return k.tellOrder()
	case AskBack:
		return &wallet.AskRefund{Order: k.order(), Minor: pick[int64](r, 0, 0, 1, 100, 333, -1, 1_000_000), Note: k.note()}
	case CancelBuy:
		return &wallet.CancelOrder{Order: k.order(), Note: k.note()}
	case AgreeTopUp:
		return k.agree()
	case ForgetCard:
		return &wallet.ForgetPayer{}
	case ResetOverage:
		return &wallet.ResetOverage{Credit: k.credit(), Note: k.note()}
	}
	broken("no command of kind %d", kind)
	return nil
}

func longNote(r *rand.Rand) wallet.Note {
	over := r.IntN(2) // at the limit, or one past it
	switch r.IntN(4) {
	case 0:
		return wallet.Note{Reason: strings.Repeat("r", wallet.MaxReasonLength+over)}
	case 1:
		return wallet.Note{Metadata: wallet.Metadata{strings.Repeat("k", wallet.MaxMetadataKey+over): "v"}}
	case 2:
		return wallet.Note{Metadata: wallet.Metadata{"k": strings.Repeat("v", wallet.MaxMetadataValue+over)}}
	}
	many := wallet.Metadata{}
	for i := range wallet.MaxMetadataPairs + over {
		many[strconv.Itoa(i)] = "v"
	}
	return wallet.Note{Metadata: many}
}

func (k *maker) maybe(n int64) *int64 {
	if chance(k.r, 50) {
		return nil
	}
	return &n
}

func (k *maker) ttl() time.Duration {
	if chance(k.r, 4) {
		return pick(k.r, time.Second-1, 24*time.Hour+1, -time.Second)
	}
	return pick(k.r, 0, 0, time.Second, 1500*time.Millisecond+1, time.Hour, 24*time.Hour, 24*time.Hour, 24*time.Hour)
}

// instant is a time at which something may begin or end: near, or where something else does.
func (k *maker) instant(after clock.Instant) clock.Instant {
	if b := k.someBoundary(); b > after && chance(k.r, 40) {
		return b
	}
	return after + pick(k.r, 1, 1_000_000, 60_000_000, 3600*1_000_000, day, day, 2*day, 30*day)
}

func (k *maker) give() wallet.Command {
	r := k.r
	c := &wallet.GiveCredits{Note: k.note()}
	if chance(r, 15) {
		c.Pack = pick(r, k.u.packs...)
	} else {
		c.Credit = k.credit()
		c.Amount = k.amount(c.Credit)
		c.Scope = scope(r)
	}
	c.Category = pick(r, "", "", catalog.Paid, catalog.Promotional)
	if chance(r, 50) {
		priority := pick(r, 0, 40, 50, 50, 60, 100)
		c.Priority = &priority
	}
	effective := k.now()
	if chance(r, 15) {
		c.EffectiveAt = pick(r, k.instant(k.now()), k.instant(k.now()), k.now(), k.now()-day)
		effective = max(effective, c.EffectiveAt)
	}
	switch {
	case chance(r, 50):
		c.ExpiresAt = k.instant(effective)
	case chance(r, 10):
		c.Never = true
	}
	if chance(r, 25) {
		c.ExternalRef = pick(r, "cs_1", "cs_2", "cs_3", "cs_4")
	}
	if chance(r, 40) {
		roll := rollover(r)
		c.Rollover = &roll
	}
	if chance(r, 10) {
		c.Entry = wallet.AutoTopUp
	}
	if chance(r, 4) {
		k.spoil(c)
	}
	return c
}

// spoil makes a grant wrong in one way.
func (k *maker) spoil(c *wallet.GiveCredits) {
	r := k.r
	wrong := pick(r, -1, catalog.MaxPriority+1)
	switch r.IntN(12) {
	case 0:
		c.Priority = &wrong
	case 1:
		c.Category = "gold"
	case 2:
		c.ExpiresAt, c.Never = max(c.EffectiveAt, k.now())-clock.Instant(r.IntN(2)), false
	case 3:
		c.Pack, c.Credit, c.Amount = pick(r, k.u.packs...), pick(r, k.u.credits...), 0
	case 4:
		c.Pack, c.Credit, c.Amount, c.Scope = "pck_unknown", "", 0, nil
	case 5:
		c.ExternalRef = strings.Repeat("x", wallet.MaxExternalRefLength+r.IntN(2))
	case 6:
		c.Rollover = &catalog.Rollover{Percent: pick(r, -1, 101), Validity: catalog.Interval{Count: 1, Unit: catalog.Day}}
	case 7:
		c.Rollover = &catalog.Rollover{Percent: 50, Validity: catalog.Interval{Count: r.IntN(2), Unit: pick(r, catalog.Day, "aeon")}}
	case 8:
		c.Rollover = &catalog.Rollover{Percent: 50, MaxCount: -1, Validity: catalog.Interval{Count: 1, Unit: catalog.Day}}
	case 9:
		c.Entry = pick(r, wallet.CreditDeducted, wallet.Refund, wallet.HoldPlaced)
	case 10:
		c.Pack, c.Credit, c.Amount = "", pick(r, k.u.credits...), 10
		c.Scope = catalog.Scope{{Event: "image.**"}}
	case 11:
		c.Pack, c.Credit, c.Amount = "", pick(r, k.u.credits...), 10
		c.Scope = catalog.Scope{{Event: "*", UnitsPerCredit: money.Ratio{Num: pick[int64](r, -1, 5), Den: pick[int64](r, 0, 3)}}}
	}
}

// hold is a hold, most often one that is pending.
func (k *maker) hold() int64 {
	n := int64(len(k.m.holds))
	if chance(k.r, 80) {
		var pending []int64
		for i := range k.m.holds {
			if k.m.holds[i].status == wallet.ReservationPending {
				pending = append(pending, k.m.holds[i].n)
			}
		}
		if len(pending) > 0 {
			return pick(k.r, pending...)
		}
	}
	return k.r.Int64N(n+2) + pick[int64](k.r, 0, 0, 0, 0, 0, -1, 1)
}

// grant is a grant, most often one in which something is left.
func (k *maker) grant() int64 {
	n := int64(len(k.m.grants))
	if chance(k.r, 70) {
		var open []int64
		for i := range k.m.grants {
			if g := &k.m.grants[i]; g.live() > 0 || g.status == wallet.GrantPending {
				open = append(open, g.n)
			}
		}
		if len(open) > 0 {
			return pick(k.r, open...)
		}
	}
	return k.r.Int64N(n+2) + pick[int64](k.r, 0, 0, 0, 0, 0, -1, 1)
}

func (k *maker) commit() wallet.Command {
	r := k.r
	c := &wallet.Commit{Hold: k.hold(), AllowMore: chance(r, 60), Note: k.note()}
	h := k.m.hold(c.Hold)
	if h == nil || chance(r, 40) {
		return c
	}
	held := h.measure()
	amount := pick(r, r.Int64N(held+1), r.Int64N(held+1), held, held+1, held+k.quantity(), held*2, 0, -1)
	if chance(r, 90) {
		amount = max(0, amount)
	}
	decimals := wallet.QuantityDecimals
	if h.charge.Event == "" {
		decimals = k.m.Defs.Credits[h.charge.Credit].Precision
	}
	c.Amount = money.Decimal(money.FormatUnits(amount, decimals))
	if chance(r, 2) {
		c.Amount = money.Decimal(pick(r, "0.00000000001", "abc", "1000000000000", "9223372036854775807"))
	}
	return c
}

func (k *maker) reverse() wallet.Command {
	r := k.r
	c := &wallet.Reverse{Entry: r.Int64N(int64(len(k.m.ledger))+2) + pick[int64](r, 0, 0, 0, 0, -1, 1), Note: k.note()}
	var usage []int64
	for i := range k.m.ledger {
		if e := &k.m.ledger[i]; e.kind == wallet.CreditDeducted || e.kind == wallet.OverageCharged {
			usage = append(usage, int64(i)+1)
		}
	}
	if len(usage) > 0 && chance(r, 85) {
		c.Entry = pick(r, usage...)
		if amount := -k.m.ledger[c.Entry-1].amount; amount > 0 {
			part := pick(r, 1+r.Int64N(amount), 1+r.Int64N(amount), amount, amount+1, 0)
			c.Amount = k.maybe(part)
		}
	}
	return c
}
