package acceptance

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/catalog"
)

// diary is a log that can be read while it is written.
type diary struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (d *diary) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.Write(b)
}

func (d *diary) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.String()
}

// heard is what the functions of the program heard. The first calls fail, as many as fail says.
type heard struct {
	mu     sync.Mutex
	fail   int
	calls  int
	topUps []scrip.CreditsTopUp
	orders []scrip.OrderEvent
}

var errHook = fmt.Errorf("the program's own function failed")

func (h *heard) hooks() scrip.Hooks {
	order := func(_ context.Context, e scrip.OrderEvent) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.orders = append(h.orders, e)
		return nil
	}
	return scrip.Hooks{
		OnCreditsTopUp: func(_ context.Context, e scrip.CreditsTopUp) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			if h.calls++; h.calls <= h.fail {
				return errHook
			}
			h.topUps = append(h.topUps, e)
			return nil
		},
		OnPayment: order, OnRefund: order, OnDispute: order, OnAutoTopUp: order,
	}
}

// bought are the top-ups that were heard of.
func (h *heard) bought() []scrip.CreditsTopUp {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.topUps)
}

// told are the events of orders that were heard.
func (h *heard) told() []scrip.OrderEvent {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.orders)
}

// called is how often the function for top-ups was called.
func (h *heard) called() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.calls
}

// fails has the function for top-ups fail so many times from the first call on.
func (h *heard) fails(times int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fail = times
}

// count is how many events of a type were heard.
func (h *heard) count(event catalog.EventType) int {
	n := 0
	for _, e := range h.told() {
		if e.Type == string(event) {
			n++
		}
	}
	return n
}
