package store

import (
	"context"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/wallet"
)

// OperationBlock bounds how many operations are taken at one time.
const OperationBlock = 100

// Sandboxes are what test modes have and live has not.
type Sandboxes interface {
	// DueIn lists wallets of one test mode in which time has something to write down by an instant
	// of that mode's time, the longest due first.
	DueIn(ctx context.Context, app string, mode catalog.Mode, now clock.Instant, limit int) ([]wallet.Key, error)
	// TakeOperations takes operations of an app's allowance for a month, for the caller to use up:
	// a tenth of what is left, at least one and at most OperationBlock, and none when the allowance
	// is used up. Where the connection is lost it may take some that nobody gets, never the same
	// ones twice.
	TakeOperations(ctx context.Context, app, month string, allowance int64) (int64, error)
	// ReturnOperations gives back what was taken and not used.
	ReturnOperations(ctx context.Context, app, month string, n int64) error
}
