package stripe

import (
	"context"
	"net/url"
	"slices"
	"strconv"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/payments/provider"
)

const pathEvents = "/v1/events"

// pastTypes are the events that tell of money that goes back. Payments are not among them: they are many,
// and orders that wait for one are asked about one by one.
var pastTypes = []string{
	"charge.refunded", "refund.created", "refund.updated", "refund.failed", "charge.refund.updated",
	"charge.dispute.created", "charge.dispute.closed",
}

// Past tells events again, whether or not a webhook was sent of them: Stripe lists them for 30 days. A page
// is told oldest first. What cannot be read is left out: it would be in the way for ever.
func (p *Provider) Past(ctx context.Context, mode catalog.Mode, since clock.Instant, cursor string) ([]provider.Event, string, error) {
	const op = "stripe.Past"
	a, err := p.account(op, mode)
	if err != nil {
		return nil, "", err
	}
	query := url.Values{"types[]": pastTypes, "created[gte]": {strconv.FormatInt(since.Time().Unix(), 10)}, "limit": {strconv.Itoa(pageSize)}}
	if cursor != "" {
		query.Set("starting_after", cursor)
	}
	page, failed := get[list[event]](ctx, a, pathEvents, query)
	if failed != nil {
		return nil, "", failed.fault(op)
	}
	var all []provider.Event
	for i := range slices.Backward(page.Data) {
		if !page.Data[i].ours() {
			continue
		}
		r := &reading{ctx: ctx, a: a, mode: mode, e: &page.Data[i]}
		told, err := r.read()
		if err != nil && fault.CodeOf(err) != fault.CodeInvalidJSON {
			return nil, "", err
		}
		all = append(all, told...)
	}
	if !page.HasMore || len(page.Data) == 0 {
		return all, "", nil
	}
	return all, page.Data[len(page.Data)-1].ID, nil
}
