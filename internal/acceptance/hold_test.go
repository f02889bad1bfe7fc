package acceptance

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// tied is a grant of 10, of which a reservation holds 4 while its fate befalls it.
type tied struct {
	*forge
	credit, grant, hold string
}

// revoke takes credits back as a refund or a revocation does.
func (h *tied) revoke(entry wallet.EntryType, most *int64) {
	h.t.Helper()
	_, n, err := id.ParseObject(id.PrefixGrant, h.grant)
	noError(h.t, err)
	h.do(catalog.Live, "u", &wallet.RevokeGrant{Grant: n, Entry: entry, Amount: most})
}

// holdFate is a row of the table of design section 5.3: what befalls the grant, and how grant and
// ledger stand when the hold has ended in each way. The grant is written as its parts that are not
// zero, in the order of law 1.
type holdFate struct {
	name     string
	rollover v1.Rollover
	rolls    int           // how often the grant has rolled over before
	lives    time.Duration // how long the grant lives; zero: for ever
	befall   func(h *tied)
	commit   string
	back     string // on release, and when the hold lapses
}

func some(n int64) *int64 { return &n }

var holdFates = []holdFate{
	{
		"live",
		v1.Rollover{},
		0, 0, func(*tied) {},
		"active 6 available 4 spent: credit_deducted", "active 10 available: hold_released",
	},
	{
		"expired",
		v1.Rollover{},
		0, time.Hour, func(h *tied) { h.clock.Advance(time.Hour) },
		"expired 4 spent 6 expired: credit_expired credit_deducted",
		"expired 10 expired: credit_expired hold_released credit_expired",
	},
	{
		"revoked",
		v1.Rollover{},
		0, 0, func(h *tied) { h.revoke("", nil) },
		"revoked 4 spent 6 revoked: revoked credit_deducted",
		"revoked 10 revoked: revoked hold_released revoked",
	},
	{
		"refunded",
		v1.Rollover{},
		0, 0, func(h *tied) { h.revoke(wallet.Refund, nil) },
		"revoked 4 spent 6 revoked: refund credit_deducted",
		"revoked 10 revoked: refund hold_released revoked",
	},
	{
		"refunded in full by amount",
		v1.Rollover{},
		0, 0, func(h *tied) { h.revoke(wallet.Refund, some(10)) },
		"revoked 4 spent 6 revoked: refund credit_deducted",
		"revoked 10 revoked: refund hold_released revoked",
	},
	{
		"refunded in part",
		v1.Rollover{},
		0, 0, func(h *tied) { h.revoke(wallet.Refund, some(9)) },
		"depleted 4 spent 6 revoked: refund credit_deducted",
		"active 4 available 6 revoked: refund hold_released",
	},
	{
		"rolled over",
		v1.Rollover{Percent: 75, ValidityCount: 1, ValidityUnit: "month"},
		0, time.Hour,
		func(h *tied) { h.clock.Advance(time.Hour) },
		"rolled_over 4 spent 2 expired 4 rolled over: credit_rolled_over credit_rolled_over credit_expired credit_deducted",
		"rolled_over 3 expired 7 rolled over: credit_rolled_over credit_rolled_over credit_expired hold_released credit_rolled_over credit_rolled_over credit_expired",
	},
	{
		"forfeited",
		v1.Rollover{Percent: 50, ValidityCount: 1, ValidityUnit: "day", MaxCount: 1},
		1, time.Hour,
		func(h *tied) { h.clock.Advance(time.Hour) },
		"expired 4 spent 6 expired: rollover_forfeited credit_deducted",
		"expired 10 expired: rollover_forfeited hold_released rollover_forfeited",
	},
}

// TestHoldTable is every cell of the table of design section 5.3, through the engine: the same on
// both stores, and whether the wallet is in the cache or read anew.
func TestHoldTable(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		for _, fate := range holdFates {
			for end, want := range map[string]string{"commit": fate.commit, "release": fate.back, "expiry": fate.back} {
				for _, fresh := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s/%s/fresh=%t", fate.name, end, fresh), func(t *testing.T) {
						h := newTied(t, db, &fate)
						before := len(entries(t, h, "u"))
						fate.befall(h)
						if fresh {
							h.server = startServer(t, db.open(t), h.options())
							h.ops = h.live()
						}
						h.end(end)
						g, err := h.GetGrant(t.Context(), h.grant)
						noError(t, err)
						got := parts(&g) + ": " + types(entries(t, h, "u")[before:])
						equal(t, "grant and ledger", got, want)
					})
				}
			}
		}
	})
}

// newTied makes the grant and reserves 4 of it.
func newTied(t *testing.T, db *database, fate *holdFate) *tied {
	t.Helper()
	h := &tied{forge: newForge(t, db)}
	c, err := h.CreateCredit(t.Context(), v1.CreateCredit{Name: "Held", Unit: "x", Rollover: fate.rollover})
	noError(t, err)
	amount := 10
	for range fate.rolls {
		amount = amount * 100 / fate.rollover.Percent
	}
	r := v1.GrantRequest{CustomerID: "u", CreditID: c.ID, Amount: money.Decimal(fmt.Sprint(amount))}
	if fate.lives > 0 {
		r.ExpiresAt = v1.ExpiresAt(h.clock.Now().Add(fate.lives))
	}
	g, err := h.Grant(t.Context(), r)
	noError(t, err)
	h.credit, h.grant = c.ID, g.Grants[0].ID
	for range fate.rolls {
		h.clock.Advance(24 * time.Hour) // an hour is left of the day that its successor lives
		g, err := h.GetGrant(t.Context(), h.grant)
		noError(t, err)
		h.grant = g.RolledIntoID
	}
	d, err := h.Reserve(t.Context(), v1.ReserveRequest{Charge: direct("u", c.ID, "4"), TTLSeconds: 7200})
	noError(t, err)
	h.hold = d.ReservationID
	return h
}

func (h *tied) end(how string) {
	h.t.Helper()
	var err error
	switch how {
	case "commit":
		_, err = h.Commit(context.Background(), v1.CommitRequest{ReservationID: h.hold})
	case "release":
		_, err = h.Release(context.Background(), v1.ReleaseRequest{ReservationID: h.hold})
	case "expiry":
		h.clock.Advance(2 * time.Hour)
	}
	noError(h.t, err)
}

// parts writes a grant's status and what it consists of.
func parts(g *v1.Grant) string {
	text := []string{g.Status}
	for _, part := range []struct {
		name   string
		amount money.Decimal
	}{
		{"available", g.Available},
		{"frozen", g.Frozen},
		{"held", g.Held},
		{"spent", g.Spent},
		{"expired", g.Expired},
		{"revoked", g.Revoked},
		{"rolled over", g.RolledOver},
	} {
		if part.amount != "0" {
			text = append(text, string(part.amount), part.name)
		}
	}
	return strings.Join(text, " ")
}
