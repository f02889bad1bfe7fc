package wallet

import "time"

// Limits of one wallet. Each is tested at the limit and one past it.
const (
	// MaxOpenGrants bounds the grants that still hold something.
	MaxOpenGrants = 50_000
	// MaxPendingHolds bounds the reservations that are open at one time.
	MaxPendingHolds = 10_000
	// MaxLanes bounds the different (credit, scope) pairs that a wallet was ever granted.
	MaxLanes = 500
	// MaxAllowances bounds the allowances of a subscription.
	MaxAllowances = 50
	// MaxUnits bounds a single amount, in units of its credit.
	MaxUnits = 1_000_000_000_000_000_000
	// MaxQuantity bounds a quantity, in micros.
	MaxQuantity = 1_000_000_000_000_000_000
	// MaxResponseBytes bounds the response kept with a commit; longer ones are cut.
	MaxResponseBytes = 32 << 10
	// MaxReasonLength and MaxErrorCodeLength bound the texts that explain a command, in
	// characters.
	MaxReasonLength    = 500
	MaxErrorCodeLength = 100
	// MaxExternalRefLength bounds the caller's own reference of a grant, in characters.
	MaxExternalRefLength = 255
	// MaxMetadataPairs, MaxMetadataKey and MaxMetadataValue bound metadata, in bytes.
	MaxMetadataPairs = 50
	MaxMetadataKey   = 100
	MaxMetadataValue = 500
)

// How long a hold may last (design section 5.3).
const (
	DefaultTTL = 60 * time.Second
	MinTTL     = time.Second
	MaxTTL     = 24 * time.Hour
)

// MicrosPerUnit is the scale of quantities: a quantity of 1 is a million micros, so that
// fractions of a unit can be counted exactly.
const MicrosPerUnit = 1_000_000

// QuantityDecimals is how many decimals a quantity has: those of a micro.
const QuantityDecimals = 6
