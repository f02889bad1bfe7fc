package dodo

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	selling "github.com/seed42445051/scrip/payments"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// cartLine is some of a product that is to be bought.
type cartLine struct {
	ProductID string       `json:"product_id"`
	Quantity  int64        `json:"quantity"`
	Amount    *int64       `json:"amount"`
	Addons    []struct{}   `json:"addons"`
	Credits   []cartCredit `json:"credit_entitlements"`
}

// cartCredit is another amount of a credit that comes with a product.
type cartCredit struct {
	CreditEntitlement string        `json:"credit_entitlement_id"`
	CreditsAmount     money.Decimal `json:"credits_amount"`
}

// onDemand has a subscription charged when somebody asks.
type onDemand struct {
	MandateOnly     bool   `json:"mandate_only"`
	ProductPrice    *int64 `json:"product_price"`
	ProductCurrency string `json:"product_currency"`
}

// sale is what a request wants to sell, whichever call it comes with.
type sale struct {
	cart      []cartLine
	currency  string // that it must be in; empty: any
	trialDays *int
	onDemand  *onDemand
	metadata  v1.Metadata
	returnURL string
	cancelURL string
	quiet     bool // the card that is kept is charged, and no page opened
}

// command is the order that a sale asks for: of products that are sold once, or of one that recurs.
func (s *sale) command(defs *catalog.Definitions) (*wallet.PlaceOrder, error) {
	if len(s.cart) == 0 {
		return nil, &refusal{http.StatusUnprocessableEntity, "PRODUCT_CART_EMTPY", "product_cart must not be empty"}
	}
	command := &wallet.PlaceOrder{Kind: wallet.ProductOrder, OffSession: s.quiet, Note: wallet.Note{Metadata: wallet.Metadata(s.metadata)}}
	var plan *catalog.Product
	for i := range s.cart {
		p, err := s.cart[i].product(defs)
		if err != nil {
			return nil, err
		}
		if err := sameCurrency(s.currency, p); err != nil {
			return nil, err
		}
		item, err := s.cart[i].item(defs)
		if err != nil {
			return nil, err
		}
		command.Cart = append(command.Cart, item)
		if p.Recurs() {
			plan = p
		}
	}
	if err := s.addresses(command, plan != nil); err != nil || plan == nil {
		return command, err
	}
	return command, s.subscription(command, plan)
}

// subscription makes of a cart the subscription to its product.
func (s *sale) subscription(command *wallet.PlaceOrder, p *catalog.Product) error {
	if len(s.cart) > 1 {
		return &refusal{http.StatusUnprocessableEntity, "UNSUPPORTED_ACTION", "a product that recurs is alone in its cart: a customer has one subscription, and it is paid for by itself"}
	}
	item := &command.Cart[0]
	command.Kind, command.Overrides = wallet.PlanOrder, item.Credits
	command.Plan = &wallet.Subscribe{Plan: p.ID, Quantity: item.Quantity, TrialDays: s.trialDays, Note: command.Note}
	command.Cart = nil
	if s.onDemand == nil {
		return nil
	}
	if p.Price.Kind == catalog.UsageBasedPrice {
		return &refusal{http.StatusUnprocessableEntity, "ON_DEMAND_USAGE_BASED_BILLING_NOT_SUPPORTED", "what is priced by usage is not charged on demand"}
	}
	if err := sameCurrency(s.onDemand.ProductCurrency, p); err != nil {
		return err
	}
	command.OnDemand, command.First = true, s.onDemand.ProductPrice
	if s.onDemand.MandateOnly {
		command.First = new(int64)
	}
	return nil
}

// sameCurrency refuses a price in another currency than the product's.
func sameCurrency(theirs string, p *catalog.Product) error {
	if own := currencyOut(p.Price.Currency); theirs != "" && theirs != own {
		return &refusal{http.StatusUnprocessableEntity, "UNSUPPORTED_CURRENCY", "the product is billed in " + own}
	}
	return nil
}

// product finds what a line names, and refuses a number of it that makes no sense.
func (l *cartLine) product(defs *catalog.Definitions) (*catalog.Product, error) {
	p, ok := defs.Products[l.ProductID]
	switch {
	case len(l.Addons) > 0:
		return nil, fault.New("dodo.product", fault.CodeNotImplemented, "Scrip has no add-ons: leave out addons")
	case !ok:
		return nil, notFound("there is no product " + strconv.QuoteToASCII(l.ProductID))
	case !p.ArchivedAt.IsZero():
		return nil, &refusal{http.StatusUnprocessableEntity, "PRODUCT_IS_DELETED", "the product is archived"}
	case l.Quantity < 1 || l.Quantity > most(p) || p.Price.Kind == catalog.UsageBasedPrice && l.Quantity != 1:
		return nil, &refusal{http.StatusUnprocessableEntity, "INVALID_QUANTITY", "quantity must be 1 to " + strconv.FormatInt(most(p), 10) + ", and 1 of a product that is priced by usage"}
	}
	return p, nil
}

// most is how many there can be of a product.
func most(p *catalog.Product) int64 {
	if p.Recurs() {
		return wallet.MaxPlanQuantity
	}
	return wallet.MaxOrderQuantity
}

func (l *cartLine) item(defs *catalog.Definitions) (wallet.CartItem, error) {
	item := wallet.CartItem{Product: l.ProductID, Quantity: l.Quantity, Minor: l.Amount}
	for _, c := range l.Credits {
		def, ok := defs.Credits[c.CreditEntitlement]
		if !ok {
			return item, notFound("there is no such credit entitlement")
		}
		units, err := c.CreditsAmount.Units(def.Precision)
		if err != nil {
			return item, err
		}
		if item.Credits == nil {
			item.Credits = map[string]int64{}
		}
		item.Credits[def.ID] = units
	}
	return item, nil
}

// addresses are where the customer comes back to. The vendor tells there what was paid, and how it
// stands: those who come back that way have done their part.
func (s *sale) addresses(command *wallet.PlaceOrder, plan bool) error {
	told := "payment_id=" + paymentPrefix + "_{ORDER_KEY}&status=succeeded"
	if plan {
		told = "payment_id=" + paymentPrefix + "_{ORDER_KEY}&subscription_id={SUBSCRIPTION_ID}&status=active"
	}
	var err error
	if command.SuccessURL, err = returning(s.returnURL, told); err != nil {
		return err
	}
	command.CancelURL = s.cancelURL
	return selling.CheckAddress(s.cancelURL, "cancel_url")
}

// returning is an address with more in its query.
func returning(address, more string) (string, error) {
	if err := selling.CheckAddress(address, "return_url"); err != nil || address == "" {
		return "", err
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", invalidValue("return_url must be an address")
	}
	if u.RawQuery != "" {
		more = "&" + more
	}
	u.RawQuery += more
	return u.String(), nil
}

// sell places the order of a sale to a customer.
func (c *call) sell(s *sale, customer string) (*selling.Found, error) {
	defs, err := c.Catalog(c)
	if err != nil {
		return nil, err
	}
	command, err := s.command(defs)
	if err != nil {
		return nil, err
	}
	return c.place(customer, command)
}

// sellTo is sell to who a request names, once what it says about them is kept; method is the kept card
// that is to be charged, empty for none.
func (c *call) sellTo(who *customerRef, about contact, s *sale, method string) (v1.Customer, *selling.Found, error) {
	customer, err := who.resolve(c)
	if err != nil {
		return customer, nil, err
	}
	if err := about.save(c, &customer); err != nil {
		return customer, nil, err
	}
	if err := c.keptCard(customer.ID, method); err != nil {
		return customer, nil, err
	}
	found, err := c.sell(s, customer.ID)
	return customer, found, err
}

// place places an order, and returns it as it stands.
func (c *call) place(customer string, command *wallet.PlaceOrder) (*selling.Found, error) {
	placed, err := c.Place(c, customer, selling.Contact{}, command)
	if err != nil {
		return nil, err
	}
	return c.FindOrder(c, placed.ID)
}
