package sqlite

import (
	"context"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// owner is the head of every key of a wallet's rows.
type owner struct {
	bucket int64
	wallet []byte
}

// writeWallet writes everything that changed in one wallet. The header goes first: it is what
// every other row refers to, and it tells whether somebody else was faster.
func (c *session) writeWallet(ctx context.Context, w *store.WalletChange) error {
	o := owner{int64(w.Header.ID.Bucket()), w.Header.ID[:]}
	if err := c.writeHeader(ctx, o, &w.Header, w.Created); err != nil {
		return err
	}
	for _, lane := range w.Lanes {
		scope := jsonOf(lane.Scope, len(lane.Scope))
		_, err := c.exec(ctx, insertLane, o.bucket, o.wallet, int64(lane.N), lane.Credit, scope, flag(lane.Inherited))
		if err != nil {
			return err
		}
	}
	for i := range w.Standings {
		if err := c.writeStanding(ctx, o, &w.Standings[i]); err != nil {
			return err
		}
	}
	if err := c.writeGrants(ctx, o, w); err != nil {
		return err
	}
	if err := c.writeHolds(ctx, o, w); err != nil {
		return err
	}
	if err := c.writeSubscriptions(ctx, o, w); err != nil {
		return err
	}
	if err := c.writeOrders(ctx, o, w); err != nil {
		return err
	}
	for i := range w.Entries {
		if err := c.writeEntry(ctx, o, &w.Entries[i]); err != nil {
			return err
		}
	}
	if err := c.writeUsages(ctx, o, w); err != nil {
		return err
	}
	for i := range w.Answers {
		a := &w.Answers[i]
		_, err := c.exec(ctx, insertAnswer, o.bucket, o.wallet, a.Key, a.Request[:], bytesOf(a.Answer), int64(a.At))
		if err != nil {
			return raced(err)
		}
	}
	for i := range w.Deliveries {
		d := &w.Deliveries[i]
		about := ""
		if d.About != (store.About{}) {
			about = jsonOf(d.About, 1)
		}
		_, err := c.exec(ctx, insertDelivery, o.bucket, o.wallet, d.N, d.Event, d.Seq, d.Endpoint, string(d.Type), about, int64(d.CreatedAt), int64(d.NextAt))
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *session) writeHeader(ctx context.Context, o owner, h *wallet.Header, created bool) error {
	if created {
		_, err := c.exec(ctx, insertWallet, headerValues(o, h)...)
		return raced(err)
	}
	n, err := c.exec(ctx, updateWallet, h.Version, h.Seq, h.GrantSeq, h.HoldSeq, h.UsageSeq, h.InvoiceSeq, h.OrderSeq, h.TellSeq, h.Head[:], int64(h.LastAt),
		o.bucket, o.wallet, h.Version-1, int64(h.NextDue))
	if err != nil || n == 1 {
		return err
	}
	n, err = c.exec(ctx, updateWalletDue, h.Version, h.Seq, h.GrantSeq, h.HoldSeq, h.UsageSeq, h.InvoiceSeq, h.OrderSeq, h.TellSeq, h.Head[:], int64(h.LastAt),
		int64(h.NextDue), o.bucket, o.wallet, h.Version-1)
	if err != nil {
		return err
	}
	if n != 1 {
		return moved("sqlite.Transact")
	}
	return nil
}

func headerValues(o owner, h *wallet.Header) []any {
	return []any{
		o.bucket, o.wallet, h.Key.App, string(h.Key.Mode), h.Key.Customer, h.Version, h.Seq, h.GrantSeq, h.HoldSeq, h.UsageSeq,
		h.InvoiceSeq, h.OrderSeq, h.TellSeq, h.Head[:], int64(h.LastAt), int64(h.NextDue), int64(h.CreatedAt),
	}
}

// writeStanding tries the update first: a credit is used for the first time only once.
func (c *session) writeStanding(ctx context.Context, o owner, st *wallet.Standing) error {
	n, err := c.exec(ctx, updateStanding, st.Overage, st.UsedOutside, st.Uncovered, st.MeteredOverage, o.bucket, o.wallet, st.Credit)
	if err != nil || n == 1 {
		return err
	}
	_, err = c.exec(ctx, insertStanding, o.bucket, o.wallet, st.Credit, st.Overage, st.UsedOutside, st.Uncovered, st.MeteredOverage)
	return err
}

func (c *session) writeGrants(ctx context.Context, o owner, w *store.WalletChange) error {
	for _, g := range w.NewGrants {
		_, err := c.exec(ctx, insertGrant, o.bucket, o.wallet, flag(g.Open()),
			g.N, int64(g.Lane), g.Credit, g.Amount, g.Available, g.Frozen, g.Held, g.Spent, g.Metered, g.Expired, g.Revoked, g.RolledOver,
			string(g.Status), flag(g.Disputed), string(g.Category), int64(g.Priority),
			int64(g.EffectiveAt), int64(g.ExpiresAt), int64(g.EndedAt), int64(g.CreatedAt),
			string(g.Source), g.SourceID, g.Pack, g.PackItem, g.ExternalRef, string(g.CostBasis), g.CostCurr,
			rolloverOf(g), int64(g.RolloverCount), g.Parent, g.RolledInto, g.Reason, g.Actor, jsonOf(g.Metadata, len(g.Metadata)))
		if err != nil {
			return refTaken(err)
		}
	}
	for _, g := range w.Spent {
		n, err := c.exec(ctx, updateGrantSpent, g.Available, g.Held, g.Spent, g.Metered, o.bucket, o.wallet, g.N)
		if err != nil {
			return err
		}
		if n != 1 {
			return missing("grant", g.N)
		}
	}
	for _, g := range w.Grants {
		if err := c.changeGrant(ctx, o, g); err != nil {
			return err
		}
	}
	return nil
}

// changeGrant writes what can change in a grant. Nearly always it stays open, or closed.
func (c *session) changeGrant(ctx context.Context, o owner, g *wallet.Grant) error {
	values := []any{
		g.Amount, g.Available, g.Frozen, g.Held, g.Spent, g.Metered, g.Expired, g.Revoked, g.RolledOver,
		string(g.Status), flag(g.Disputed), int64(g.EffectiveAt), int64(g.ExpiresAt), int64(g.EndedAt), g.RolledInto,
	}
	n, err := c.exec(ctx, updateGrant, append(values, o.bucket, o.wallet, g.N, flag(g.Open()))...)
	if err != nil || n == 1 {
		return err
	}
	n, err = c.exec(ctx, updateGrantOpen, append(values, flag(g.Open()), o.bucket, o.wallet, g.N)...)
	if err == nil && n != 1 {
		err = missing("grant", g.N)
	}
	return err
}

func (c *session) writeHolds(ctx context.Context, o owner, w *store.WalletChange) error {
	for _, h := range w.NewHolds {
		_, err := c.exec(ctx, insertHold, o.bucket, o.wallet, h.N, string(h.Status),
			h.Charge.Credit, h.Charge.Amount, h.Charge.Event, h.Charge.Quantity, string(h.Charge.Shortfall),
			jsonOf(h.Charge.Metadata, len(h.Charge.Metadata)), jsonOf(h.Plan, len(h.Plan)), jsonOf(h.Slices, len(h.Slices)),
			jsonOf(h.Overage, len(h.Overage)), jsonOf(h.Metered, len(h.Metered)), h.Committed, int64(h.CreatedAt), int64(h.ExpiresAt), int64(h.ClosedAt),
			h.Reason, h.ErrorCode, h.Response, h.Actor)
		if err != nil {
			return err
		}
	}
	for _, h := range w.Holds {
		n, err := c.exec(ctx, updateHold, string(h.Status), h.Committed, int64(h.ExpiresAt), int64(h.ClosedAt),
			h.Reason, h.ErrorCode, h.Response, jsonOf(h.Plan, len(h.Plan)), jsonOf(h.Slices, len(h.Slices)), o.bucket, o.wallet, h.N)
		if err != nil {
			return err
		}
		if n != 1 {
			return missing("hold", h.N)
		}
	}
	return nil
}

func (c *session) writeEntry(ctx context.Context, o owner, e *wallet.Entry) error {
	_, err := c.exec(ctx, insertEntry, o.bucket, o.wallet, e.Seq, string(e.Type), e.Credit, e.Amount,
		e.BalanceBefore, e.BalanceAfter, e.OverageBefore, e.OverageAfter, store.EncodeSlices(e.Slices), e.Op,
		e.RefType, e.RefID, e.Reason, jsonOf(e.Metadata, len(e.Metadata)), e.Idempotency, e.Actor,
		int64(e.EffectiveAt), int64(e.RecordedAt), e.Prev[:], e.Hash[:])
	return err
}

func (c *session) writeUsages(ctx context.Context, o owner, w *store.WalletChange) error {
	for _, u := range w.NewUsages {
		_, err := c.exec(ctx, insertUsage, o.bucket, o.wallet, u.N, u.ID, u.Event, u.Quantity, u.Metadata.Text(),
			string(u.Match), flag(u.Metered), u.Hold, u.Response, int64(u.At), int64(u.RecordedAt), int64(u.VoidedAt), u.Corrects,
			store.EncodeTallyKeys(u.Counted))
		if err != nil {
			return raced(err)
		}
	}
	for _, u := range w.Usages {
		n, err := c.exec(ctx, updateUsage, string(u.Match), int64(u.VoidedAt), o.bucket, o.wallet, int64(u.At), u.N)
		if err != nil {
			return err
		}
		if n != 1 {
			return missing("usage event", u.N)
		}
	}
	for _, t := range w.Tallies {
		_, err := c.exec(ctx, upsertTally, o.bucket, o.wallet, t.Meter, t.Credit, int64(t.From), int64(t.To),
			t.UnitsPerCredit.Num, t.UnitsPerCredit.Den, t.FreeThreshold, t.Events, t.Aggregate, t.Held,
			int64(t.LastAt), t.LastID, t.Due)
		if err != nil {
			return err
		}
	}
	for _, u := range w.Uniques {
		_, err := c.exec(ctx, upsertUnique, o.bucket, o.wallet, u.Meter, u.Credit, int64(u.From), u.Value[:], u.Events)
		if err != nil {
			return err
		}
	}
	return nil
}

// rolloverOf leaves the column empty for the usual grant, which rolls nothing over.
func rolloverOf(g *wallet.Grant) string {
	length := 1
	if g.Rollover == (catalog.Rollover{}) {
		length = 0
	}
	return jsonOf(g.Rollover, length)
}

// refTaken lets a second granting under one external reference try again and find the first.
// A number that is given twice is another matter: no second try helps.
func refTaken(err error) error {
	if codeOf(err) == uniqueIndex {
		return raced(err)
	}
	return err
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// bytesOf keeps empty bytes from being stored as NULL.
func bytesOf(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
