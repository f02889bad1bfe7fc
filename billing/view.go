package billing

import (
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
	"github.com/seed42445051/scrip/wording"
)

// view writes subscriptions and invoices in the vocabulary of v1.
type view struct {
	defs *catalog.Definitions
	key  wallet.Key
	id   id.Wallet
}

func newView(defs *catalog.Definitions, key wallet.Key) view {
	return view{defs: defs, key: key, id: key.ID()}
}

func (v view) subscription(s *wallet.Subscription, at clock.Instant) v1.Subscription {
	return wording.Subscription(v.defs, v.key, v.id, s, at)
}

func (v view) invoice(i *wallet.Invoice) v1.Invoice { return wording.Invoice(v.key, v.id, i) }
