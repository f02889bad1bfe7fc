package v1

import (
	"encoding/json"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
)

// Limits of the API.
const (
	// DefaultPage and MaxPage bound the pages of lists.
	DefaultPage = 50
	MaxPage     = 500
	// MaxBody bounds the body of a request, in bytes.
	MaxBody = 1 << 20
	// MaxCustomerID bounds a customer's id, in characters.
	MaxCustomerID = 256
	// MaxCustomerName, MaxCustomerEmail and MaxCustomerPhone bound what is known of a customer, in
	// characters.
	MaxCustomerName  = 255
	MaxCustomerEmail = 320
	MaxCustomerPhone = 50
	// MaxKeyLabel bounds what an API key is recognised by, in characters.
	MaxKeyLabel = 100
)

// Expiry is an instant that may also be null for "never" or absent for "the default".
type Expiry struct {
	Given bool          // the field was there
	At    clock.Instant // zero with Given: never
}

// ExpiresAt gives an instant.
func ExpiresAt(at clock.Instant) Expiry { return Expiry{Given: true, At: at} }

// NeverExpires overrides a default expiry.
func NeverExpires() Expiry { return Expiry{Given: true} }

// IsZero makes an absent expiry stay absent when it is written.
func (e Expiry) IsZero() bool { return !e.Given }

// MarshalJSON writes RFC 3339, or null for never.
func (e Expiry) MarshalJSON() ([]byte, error) { return json.Marshal(e.At) }

// UnmarshalJSON reads RFC 3339 or null.
func (e *Expiry) UnmarshalJSON(data []byte) error {
	e.Given = true
	return json.Unmarshal(data, &e.At)
}

// Set puts what a request gives in the place of what there is; nil, which is absent, leaves it.
func Set[T any](to, given *T) {
	if given != nil {
		*to = *given
	}
}

// Page is one page of a list; NextCursor asks for the next one.
type Page[T any] struct {
	Data       []T    `json:"data"`
	HasMore    bool   `json:"has_more"`
	NextCursor string `json:"next_cursor,omitempty" doc:"Pass as cursor for the next page"`
}

// Rule accepts a kind of usage.
type Rule struct {
	Event          string            `json:"event" doc:"An exact event name, a prefix such as image.* or * for everything" example:"image.*"`
	Metadata       map[string]string `json:"metadata,omitempty" doc:"Pairs that must all be present and equal"`
	UnitsPerCredit money.Decimal     `json:"units_per_credit,omitempty" doc:"How much quantity one credit pays for; one when absent"`
}

// Overage is a credit's policy for use beyond zero.
type Overage struct {
	Enabled      bool           `json:"enabled"`
	Limit        *money.Decimal `json:"limit,omitempty" doc:"The most overage a customer may have, in whole credits; no limit when absent"`
	Behavior     string         `json:"behavior,omitempty" enum:"forgive_at_reset,invoice_at_billing,carry_deficit,carry_deficit_auto_repay,"`
	PricePerUnit money.Decimal  `json:"price_per_unit,omitempty" doc:"Price of one credit of overage in minor units of currency"`
	Currency     string         `json:"currency,omitempty"`
}

// Rollover is a credit's policy for what is unused when a grant ends.
type Rollover struct {
	Percent       int    `json:"percent" minimum:"0" maximum:"100" doc:"How much of the unused amount moves to a new grant"`
	ValidityCount int    `json:"validity_count,omitempty" doc:"How long the new grant lives, in validity_unit"`
	ValidityUnit  string `json:"validity_unit,omitempty" enum:"day,week,month,year,"`
	MaxCount      int    `json:"max_count,omitempty" doc:"How often the same credits may roll over; no bound when absent"`
	Off           bool   `json:"off,omitempty" doc:"Keep the policy, and roll nothing over meanwhile"`
}

// Sales is how a credit comes to customers other than by packs and plans, and whether it does at all.
type Sales struct {
	Off            bool          `json:"off,omitempty" doc:"Not sold for now, in no way"`
	PricePerCredit money.Decimal `json:"price_per_credit,omitempty" doc:"Price of one credit in minor units of currency"`
	Currency       string        `json:"currency,omitempty"`
	AnyAmount      bool          `json:"any_amount,omitempty" doc:"Customers may say how many credits they buy, at price_per_credit"`
	SignupBonus    money.Decimal `json:"signup_bonus,omitempty" doc:"Promotional credits for each customer who registers, once"`
}

// Credit is a unit of account.
type Credit struct {
	ID               string        `json:"id"`
	Name             string        `json:"name"`
	Unit             string        `json:"unit"`
	Description      string        `json:"description,omitempty"`
	Precision        int           `json:"precision"`
	DrawOrder        []string      `json:"draw_order"`
	Scope            []Rule        `json:"scope,omitempty"`
	ExpiresAfterDays int           `json:"expires_after_days,omitempty"`
	Overage          Overage       `json:"overage"`
	Rollover         Rollover      `json:"rollover"`
	LowBalance       money.Decimal `json:"low_balance_threshold,omitempty" doc:"In whole credits; none when absent"`
	Sales            Sales         `json:"sales,omitzero"`
	CreatedAt        clock.Instant `json:"created_at"`
	UpdatedAt        clock.Instant `json:"updated_at"`
	ArchivedAt       clock.Instant `json:"archived_at,omitzero"`
}

// CreateCredit defines a credit.
type CreateCredit struct {
	Name             string    `json:"name" maxLength:"255"`
	Unit             string    `json:"unit" maxLength:"50" doc:"What one credit is called" example:"credit"`
	Description      string    `json:"description,omitempty" maxLength:"1000"`
	Precision        int       `json:"precision,omitempty" minimum:"0" maximum:"10" doc:"Decimals; cannot be changed later"`
	DrawOrder        DrawOrder `json:"draw_order,omitempty" doc:"A preset (default, fifo, promotional_first) or a list of criteria"`
	Scope            []Rule    `json:"scope,omitempty" doc:"Which usage grants of this credit may pay for, unless a grant says otherwise"`
	ExpiresAfterDays int       `json:"expires_after_days,omitempty" minimum:"0"`
	Overage          Overage   `json:"overage,omitempty"`
	Rollover         Rollover  `json:"rollover,omitempty"`

	LowBalance money.Decimal `json:"low_balance_threshold,omitempty" doc:"In whole credits: a balance that falls below it makes the event credit.balance_low; none when absent or zero"`
	Sales      Sales         `json:"sales,omitzero"`
}

// UpdateCredit changes a credit. What is absent stays; existing grants stay as they are.
type UpdateCredit struct {
	Name             *string    `json:"name,omitempty"`
	Unit             *string    `json:"unit,omitempty"`
	Description      *string    `json:"description,omitempty"`
	DrawOrder        *DrawOrder `json:"draw_order,omitempty"`
	Scope            *[]Rule    `json:"scope,omitempty"`
	ExpiresAfterDays *int       `json:"expires_after_days,omitempty"`
	Overage          *Overage   `json:"overage,omitempty"`
	Rollover         *Rollover  `json:"rollover,omitempty"`

	LowBalance *money.Decimal `json:"low_balance_threshold,omitempty" doc:"0 for none"`
	Sales      *Sales         `json:"sales,omitempty" doc:"Replaces what there is; an empty one is none"`
}

// DrawOrder is a preset's name or a list of criteria.
type DrawOrder []string

// UnmarshalJSON takes a name or a list.
func (d *DrawOrder) UnmarshalJSON(data []byte) error {
	var name string
	if json.Unmarshal(data, &name) == nil {
		*d = DrawOrder{name}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(d))
}

// PackItem is one line of a pack.
type PackItem struct {
	ID       string        `json:"id,omitempty"`
	CreditID string        `json:"credit_id"`
	Amount   money.Decimal `json:"amount"`
	Scope    []Rule        `json:"scope,omitempty"`
	Category string        `json:"category,omitempty" enum:"paid,promotional,"`
	Priority *int          `json:"priority,omitempty" minimum:"0" maximum:"100" code:"invalid_priority" doc:"50 for an item of one exact event, else 60, when absent"`
}

// Pack is a product that is sold once and grants its items.
type Pack struct {
	ID               string        `json:"id"`
	Name             string        `json:"name"`
	Description      string        `json:"description,omitempty"`
	Price            int64         `json:"price" doc:"In minor units of currency"`
	Currency         string        `json:"currency"`
	PriceRef         string        `json:"price_ref,omitempty" doc:"The payment provider's own id of the price"`
	ExpiresAfterDays int           `json:"expires_after_days,omitempty"`
	Items            []PackItem    `json:"items"`
	CreatedAt        clock.Instant `json:"created_at"`
	UpdatedAt        clock.Instant `json:"updated_at"`
	ArchivedAt       clock.Instant `json:"archived_at,omitzero"`
}

// CreatePack defines a pack, or replaces one.
type CreatePack struct {
	ID               string     `json:"id,omitempty" doc:"Your own id for the pack; one is made when absent" maxLength:"100"`
	Name             string     `json:"name" maxLength:"255"`
	Description      string     `json:"description,omitempty" maxLength:"1000"`
	Price            int64      `json:"price,omitempty" minimum:"0" maximum:"1000000000000" doc:"In minor units of currency"`
	Currency         string     `json:"currency,omitempty" doc:"usd when absent"`
	PriceRef         string     `json:"price_ref,omitempty" maxLength:"255" doc:"The payment provider's own id of the price, where it has one"`
	ExpiresAfterDays int        `json:"expires_after_days,omitempty" minimum:"0" doc:"What each credit says when absent"`
	Items            []PackItem `json:"items" minItems:"1" maxItems:"20"`
}

// Customer is the holder of a wallet.
type Customer struct {
	ID        string            `json:"id"`
	Name      string            `json:"name,omitempty"`
	Email     string            `json:"email,omitempty"`
	Phone     string            `json:"phone,omitempty"`
	Metadata  map[string]string `json:"metadata,omitempty"`
	CreatedAt clock.Instant     `json:"created_at"`
	UpdatedAt clock.Instant     `json:"updated_at"`
}

// SaveCustomer tells what is known of a customer.
type SaveCustomer struct {
	Name     string   `json:"name,omitempty" maxLength:"255"`
	Email    string   `json:"email,omitempty" maxLength:"320"`
	Phone    string   `json:"phone,omitempty" maxLength:"50"`
	Metadata Metadata `json:"metadata,omitempty"`
}

// UpdateCustomer changes what is known of a customer. What is absent stays.
type UpdateCustomer struct {
	Name     *string   `json:"name,omitempty" maxLength:"255"`
	Email    *string   `json:"email,omitempty" maxLength:"320"`
	Phone    *string   `json:"phone,omitempty" maxLength:"50"`
	Metadata *Metadata `json:"metadata,omitempty"`
}

// Metadata is flat text; numbers and booleans are taken as their text.
type Metadata map[string]string

// UnmarshalJSON takes strings, numbers and booleans as text, and refuses anything deeper.
func (m *Metadata) UnmarshalJSON(data []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return errMetadata("metadata must be an object of text, numbers and booleans")
	}
	if raw == nil {
		return nil
	}
	*m = make(Metadata, len(raw))
	for key, value := range raw {
		switch value[0] {
		case '"':
			var text string
			if err := json.Unmarshal(value, &text); err != nil {
				return err
			}
			(*m)[key] = text
		case '{', '[', 'n':
			return errMetadata("metadata values must be text, numbers or booleans")
		default:
			(*m)[key] = string(value)
		}
	}
	return nil
}

// CheckCustomerID accepts 1 to MaxCustomerID characters of printable text: the caller's own
// id, whatever its form.
func CheckCustomerID(customer string) error {
	const op = "v1.CheckCustomerID"
	n := 0
	for _, r := range customer {
		n++
		if r < 0x20 || r == 0x7f || r == '\uFFFD' {
			return fault.New(op, fault.CodeInvalidCustomerID, "customer_id must be printable text").In("customer_id")
		}
	}
	if n == 0 || n > MaxCustomerID {
		return fault.New(op, fault.CodeInvalidCustomerID, "customer_id must have 1 to %d characters", MaxCustomerID).In("customer_id")
	}
	return nil
}
