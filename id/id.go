// Package id owns the form of every identifier: random ones for definitions,
// keys and orders, and derived ones for wallets and what is inside them.
//
// It does not know what an identifier refers to, nor whether that exists.
package id

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"math"
	"strings"

	"github.com/google/uuid"

	"github.com/seed42445051/scrip/fault"
)

// Prefixes of public ids; an id reads PREFIX_REST.
const (
	PrefixGrant        = "grt" // a grant, numbered within its wallet
	PrefixReservation  = "rsv" // a hold, numbered within its wallet
	PrefixEntry        = "ent" // a ledger entry, numbered within its wallet
	PrefixOperation    = "op"  // one accepted command, numbered within its wallet
	PrefixApp          = "app"
	PrefixKey          = "key"
	PrefixCredit       = "crd"
	PrefixPack         = "pck"
	PrefixPackItem     = "pki"
	PrefixPlan         = "pln"
	PrefixProduct      = "pdt"
	PrefixSubscription = "sub"
	PrefixInvoice      = "inv" // an invoice, numbered within its wallet
	PrefixMeter        = "mtr"
	PrefixEvent        = "evt"
	PrefixOrder        = "ord"  // numbered within its wallet
	PrefixRefund       = "ref"  // a refund of an order: the order's number, and its own behind it
	PrefixWebhook      = "whk"  // a webhook endpoint
	PrefixDelivery     = "dlv"  // one event on its way to one endpoint, numbered within its wallet
	PrefixMessage      = "msg"  // one event, for all endpoints, numbered within its wallet
	PrefixCode         = "code" // a code that customers redeem
	PrefixCustomer     = "cus"  // one that did not come with an id of the caller's
)

// Buckets is the number of buckets that wallets are spread over. It is part of
// every wallet table's primary key and cannot change once data exists.
const Buckets = 1024

const (
	// alphabet is Crockford's base32 in lower case: no i, l, o or u to misread,
	// and in ASCII order, so that text sorts as the bytes do.
	alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

	textLen      = 26 // characters that 16 bytes take
	maxNumberLen = 13 // characters that the greatest int64 takes
)

var encoding = base32.NewEncoding(alphabet).WithPadding(base32.NoPadding)

// New returns a fresh id: the prefix, "_" and 26 characters of a UUIDv7. Ids of
// one process sort in the order in which they were made, those of several by
// the millisecond. That order is a convenience for indexes and readers; no rule
// may take the time from an id.
func New(prefix string) string {
	// NewV7 fails only when the system has no randomness, without which
	// nothing here can go on.
	u := uuid.Must(uuid.NewV7())
	return prefix + "_" + encoding.EncodeToString(u[:])
}

// Wallet is the key of one wallet: the first 16 bytes of SHA-256 over its app,
// mode and customer. Every process derives the same key without a look-up.
type Wallet [16]byte

// WalletOf returns the key of the wallet that customer has in app and mode.
// Each part is preceded by its length (8 bytes, big-endian), so that no two
// different triples hash the same text. This layout is stored in every row and
// must never change.
func WalletOf(app, mode, customer string) Wallet {
	buf := make([]byte, 0, 256)
	for _, part := range [...]string{app, mode, customer} {
		buf = binary.BigEndian.AppendUint64(buf, uint64(len(part)))
		buf = append(buf, part...)
	}
	sum := sha256.Sum256(buf)
	return Wallet(sum[:16])
}

// Bucket returns the wallet's bucket, its top 10 bits: 0 to Buckets-1.
func (w Wallet) Bucket() int {
	return int(w[0])<<2 | int(w[1])>>6
}

// String returns the wallet's 26 characters; the first two are its bucket.
func (w Wallet) String() string { return encoding.EncodeToString(w[:]) }

// ParseWallet reads what String wrote and nothing else. The error's code is
// invalid_id.
func ParseWallet(s string) (Wallet, error) {
	w, ok := decodeWallet(s)
	if !ok {
		return Wallet{}, fault.New("id.ParseWallet", fault.CodeInvalidID, "This is not a wallet's id.")
	}
	return w, nil
}

// Object returns the public id of the thing with number n (1 or more) inside
// w: prefix, "_", the wallet's 26 characters and the number in base32. Such an
// id tells where to look without a table of ids, and the same history always
// yields the same ids. A number below 1 gives an id that ParseObject refuses.
func Object(prefix string, w Wallet, n int64) string {
	var digits [maxNumberLen]byte
	i := len(digits) - 1
	digits[i] = alphabet[0]
	for rest := max(n, 0); rest > 0; rest >>= 5 {
		digits[i] = alphabet[rest&31]
		i--
	}
	if n >= 1 {
		i++
	}
	buf := make([]byte, 0, len(prefix)+1+textLen+maxNumberLen)
	buf = append(buf, prefix...)
	buf = append(buf, '_')
	buf = encoding.AppendEncode(buf, w[:])
	return string(append(buf, digits[i:]...))
}

// ParseObject reads what Object wrote under the same prefix, with a number of 1
// or more, and nothing else: one thing has one spelling, so that ids can be
// compared as text. The error's code is invalid_id.
func ParseObject(prefix, s string) (Wallet, int64, error) {
	rest, ok := strings.CutPrefix(s, prefix+"_")
	if ok && len(rest) > textLen {
		w, okWallet := decodeWallet(rest[:textLen])
		n, okNumber := decodeNumber(rest[textLen:])
		if okWallet && okNumber {
			return w, n, nil
		}
	}
	return Wallet{}, 0, fault.New("id.ParseObject", fault.CodeInvalidID,
		"This is not an id of the form %s_...; ids must be passed exactly as they were received.", prefix)
}

// decodeWallet accepts the canonical text of a wallet only. Encoding again
// refuses what the decoder lets pass: line breaks, and bits set beyond the
// sixteenth byte.
func decodeWallet(s string) (Wallet, bool) {
	if len(s) != textLen {
		return Wallet{}, false
	}
	var w Wallet
	b, err := encoding.DecodeString(s)
	if err != nil || len(b) != len(w) {
		return Wallet{}, false
	}
	copy(w[:], b)
	return w, w.String() == s
}

// decodeNumber reads a number of 1 or more without leading zeros.
func decodeNumber(s string) (int64, bool) {
	if s == "" || len(s) > maxNumberLen || s[0] == alphabet[0] {
		return 0, false
	}
	var n uint64 // thirteen digits are 65 bits, so check before the last one
	for i := range len(s) {
		d := strings.IndexByte(alphabet, s[i])
		if d < 0 || n > math.MaxInt64>>5 {
			return 0, false
		}
		n = n<<5 | uint64(d)
	}
	return int64(n), true
}
