package store

import (
	"context"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/wallet"
)

// Codes are what customers redeem, and who did. There may be a great many, so that they are no part
// of catalog.Definitions, which every process keeps in memory; Define writes them.
//
// The uses of a code are counted across wallets, and so no wallet's transaction can do it. A use is
// claimed first, under the lock of its code, then granted in its customer's wallet, then noted as
// granted. What was claimed is its customer's for ever: whoever finds it not granted, grants it.
type Codes interface {
	// Codes lists codes, the newest first, with how often they were used in the query's mode.
	Codes(ctx context.Context, q CodeQuery) ([]FoundCode, error)
	// ClaimCode runs one transaction on one code. It keeps all others from claiming a use of it,
	// reads it and what the customer used of it, calls decide once, and writes the use that decide
	// returns, whose N must be the next; nil writes nothing. It returns nil only when the use is
	// durable, decide's own error unchanged, not_found where the app has no such code, and ErrRetry
	// when nothing was written and trying again may help; for one, when the customer has just claimed
	// something else under the same idempotency key. Where the connection is lost during commit the use
	// may have been claimed.
	ClaimCode(ctx context.Context, c CodeClaim, decide func(*FoundCode, []CodeUse) (*CodeUse, error)) error
	// CodeUseUnder finds what a customer claimed under an idempotency key; nil when there is nothing.
	CodeUseUnder(ctx context.Context, k wallet.Key, idempotency string) (*CodeUse, error)
	// CodeGranted notes that a use was granted: its GrantedAt and Grants. Noting it again changes
	// nothing.
	CodeGranted(ctx context.Context, u *CodeUse) error
	// ClaimedCodes lists uses of all apps that were claimed and not noted as granted, in order of their
	// positions.
	ClaimedCodes(ctx context.Context, after CodeUsePosition, limit int) ([]CodeUse, error)
}

// CodeQuery selects codes.
type CodeQuery struct {
	App      string
	Mode     catalog.Mode // whose uses are counted
	ID       string       // this one only, archived or not
	Text     string       // the one in use that has this text, in any case
	Archived bool         // without ID and Text: those that are archived, and not those in use
	After    string       // further down the list than the code with this id
	Limit    int
}

// FoundCode is a code, and how often it was used in one mode.
type FoundCode struct {
	*catalog.Code
	Uses int64
}

// CodeClaim says which code is to be used, where and by whom.
type CodeClaim struct {
	App      string
	Code     string // id
	Mode     catalog.Mode
	Customer string
}

// CodeUse is one use of a code.
type CodeUse struct {
	App         string
	Code        string
	Mode        catalog.Mode
	N           int64 // from 1, without gaps in each mode
	Customer    string
	Idempotency string // the key under which it was claimed; empty: none
	Actor       string
	Left        int64 // how many uses were left after it; -1 where there is no bound
	ClaimedAt   clock.Instant
	GrantedAt   clock.Instant // zero: not noted as granted
	Grants      []int64       // numbers within the customer's wallet
}

// Position is where the use stands among all.
func (u *CodeUse) Position() CodeUsePosition { return CodeUsePosition{u.Code, u.Mode, u.N} }

// CodeUsePosition is a place among all uses; the zero position is before the first.
type CodeUsePosition struct {
	Code string
	Mode catalog.Mode
	N    int64
}
