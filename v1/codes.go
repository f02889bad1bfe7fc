package v1

import (
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/money"
)

// MaxCodes bounds the codes that one call makes; MaxCodePrefix what they begin with, in characters.
const (
	MaxCodes      = 1000
	MaxCodePrefix = 44
)

// Code is a text that customers redeem. What it gives does not change; it is shared by all modes,
// and its uses are counted in each by itself.
type Code struct {
	ID                 string        `json:"id"`
	Code               string        `json:"code" doc:"Upper and lower case are the same"`
	PackID             string        `json:"pack_id,omitempty"`
	CreditID           string        `json:"credit_id,omitempty"`
	Amount             money.Decimal `json:"amount,omitempty"`
	Category           string        `json:"category,omitempty"`
	ExpiresAfterDays   int           `json:"expires_after_days,omitempty"`
	ValidFrom          clock.Instant `json:"valid_from,omitzero"`
	ValidUntil         clock.Instant `json:"valid_until,omitzero"`
	MaxUses            int64         `json:"max_uses,omitempty" doc:"Any number when absent"`
	MaxUsesPerCustomer int64         `json:"max_uses_per_customer"`
	Uses               int64         `json:"uses" doc:"In the mode of the key"`
	Description        string        `json:"description,omitempty"`
	Metadata           Metadata      `json:"metadata,omitempty"`
	CreatedAt          clock.Instant `json:"created_at"`
	UpdatedAt          clock.Instant `json:"updated_at"`
	ArchivedAt         clock.Instant `json:"archived_at,omitzero"`
}

// CreateCodes makes a code, or many at once: with count, as many codes that can be used once.
type CreateCodes struct {
	Code               string        `json:"code,omitempty" maxLength:"64" doc:"3 to 64 letters of English, digits, - and _; one that nobody can guess is made when absent"`
	PackID             string        `json:"pack_id,omitempty" doc:"Id or name of the pack that it gives"`
	CreditID           string        `json:"credit_id,omitempty" doc:"Instead: id or name of the credit that it gives an amount of"`
	Amount             money.Decimal `json:"amount,omitempty" doc:"In whole credits"`
	Category           string        `json:"category,omitempty" enum:"paid,promotional," doc:"promotional when absent; of a pack, what its items say"`
	ExpiresAfterDays   int           `json:"expires_after_days,omitempty" minimum:"0" doc:"How long what it gives lives; what the pack or credit says when absent"`
	ValidFrom          clock.Instant `json:"valid_from,omitzero" doc:"From when on it can be redeemed"`
	ValidUntil         clock.Instant `json:"valid_until,omitzero" doc:"Before when it can be redeemed"`
	MaxUses            int64         `json:"max_uses,omitempty" minimum:"0" maximum:"1000000000" doc:"How often it can be redeemed in all, in each mode; any number when absent"`
	MaxUsesPerCustomer int64         `json:"max_uses_per_customer,omitempty" minimum:"0" maximum:"1000" doc:"1 when absent"`
	Description        string        `json:"description,omitempty" maxLength:"1000"`
	Metadata           Metadata      `json:"metadata,omitempty"`
	Count              int           `json:"count,omitempty" minimum:"0" maximum:"1000" doc:"Make so many codes, each of which can be used once"`
	Prefix             string        `json:"prefix,omitempty" maxLength:"44" doc:"What codes begin with that are made, not given"`
}

// UpdateCode changes when and how often a code can be used. What is absent stays.
type UpdateCode struct {
	ValidFrom          Expiry    `json:"valid_from,omitzero" doc:"null: from the first"`
	ValidUntil         Expiry    `json:"valid_until,omitzero" doc:"null: without an end"`
	MaxUses            *int64    `json:"max_uses,omitempty" minimum:"0" maximum:"1000000000" doc:"0: any number"`
	MaxUsesPerCustomer *int64    `json:"max_uses_per_customer,omitempty" minimum:"1" maximum:"1000"`
	Description        *string   `json:"description,omitempty" maxLength:"1000"`
	Metadata           *Metadata `json:"metadata,omitempty"`
}

// CodeQuery selects codes, the newest first.
type CodeQuery struct {
	Code     string `query:"code" doc:"The one in use that has this text, in any case"`
	Archived string `query:"archived" enum:"true,false" doc:"true: those that are archived; those in use when absent"`
	Limit    int    `query:"limit" minimum:"1" maximum:"500" doc:"50 when absent"`
	Cursor   string `query:"cursor" doc:"next_cursor of the page before"`
}

// RedeemCode gives a customer what a code gives.
type RedeemCode struct {
	CustomerID string `json:"customer_id"`
	Code       string `json:"code" doc:"In any case"`
}

// Redeemed is what a code gave.
type Redeemed struct {
	CodeID   string  `json:"code_id"`
	Grants   []Grant `json:"grants"`
	UsesLeft *int64  `json:"uses_left,omitempty" doc:"How often the code could still be redeemed after this; absent where there is no bound"`
}

// RegisterCustomer says that somebody has registered, and what is known of them.
type RegisterCustomer struct {
	ID       string   `json:"id,omitempty" doc:"Your own id of the customer; one is made when absent" maxLength:"256" code:"invalid_customer_id"`
	Name     string   `json:"name,omitempty" maxLength:"255"`
	Email    string   `json:"email,omitempty" maxLength:"320"`
	Phone    string   `json:"phone,omitempty" maxLength:"50"`
	Metadata Metadata `json:"metadata,omitempty"`
}

// Registered is a customer who has registered, with the bonus for it.
type Registered struct {
	Customer
	SignupBonus []Grant `json:"signup_bonus,omitempty" doc:"One grant for each credit that has a bonus, also where it was granted before"`
}
