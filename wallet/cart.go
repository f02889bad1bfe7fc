package wallet

import (
	"slices"
	"strconv"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
)

// CartItem is some of a product that is bought. What it costs and grants is what the product says.
type CartItem struct {
	Product  string
	Quantity int64 // zero: one
	// Minor is what the buyer pays for one, where that is up to them; nil: what the product suggests.
	Minor *int64
	Text  string // for people; empty: the product's name
	// Credits replace what is granted, by the credit: units for one of the product.
	Credits map[string]int64
}

// MaxCart bounds the products of an order.
const MaxCart = 20

// ofCart is the order of products that are sold once. They are lines of one order: paid together, and
// granted together.
func (c *PlaceOrder) ofCart(defs *catalog.Definitions, o *Order) error {
	if len(c.Cart) == 0 || len(c.Cart) > MaxCart {
		return fault.New(opOrder, fault.CodeInvalidRequest, "an order is of 1 to %d products", MaxCart).In("cart")
	}
	o.Quantity, o.Subscription = 1, c.Subscription
	for i := range c.Cart {
		if err := c.addLine(defs, o, &c.Cart[i]); err != nil {
			return fault.As(err).In("cart." + strconv.Itoa(i) + "." + fault.As(err).Field)
		}
	}
	o.Text = o.Cart[0].Text
	if more := len(o.Cart) - 1; more > 0 {
		o.Text += " and " + strconv.Itoa(more) + " more"
		return nil
	}
	o.What, o.Quantity = o.Cart[0].Product, o.Cart[0].Quantity
	return nil
}

func (c *PlaceOrder) addLine(defs *catalog.Definitions, o *Order, it *CartItem) error {
	p, err := it.product(defs)
	if err != nil {
		return err
	}
	if p.Recurs() && c.Subscription == 0 {
		return fault.New(opOrder, fault.CodeInvalidRequest, "%s is subscribed to: take it as a plan", p.Name).In("product_id")
	}
	if slices.ContainsFunc(o.Cart, func(l OrderLine) bool { return l.Product == p.ID }) {
		return fault.New(opOrder, fault.CodeInvalidRequest, "%s is in the cart twice: raise its quantity", p.Name).In("product_id")
	}
	if o.Currency != "" && o.Currency != p.Price.Currency {
		return fault.New(opOrder, fault.CodeInvalidRequest, "what is paid together has one currency, and %s is sold in another than the product before", p.Name).In("currency")
	}
	each, err := it.price(&p.Price, p.Recurs())
	if err != nil {
		return err
	}
	return it.add(defs, o, p, each)
}

// product finds what is bought.
func (it *CartItem) product(defs *catalog.Definitions) (*catalog.Product, error) {
	p, ok := defs.Products[it.Product]
	if !ok || !p.ArchivedAt.IsZero() {
		return nil, fault.New(opOrder, fault.CodeProductNotFound, "there is no product %q to buy", it.Product).In("product_id")
	}
	if it.Quantity < 0 || it.Quantity > MaxOrderQuantity {
		return nil, fault.New(opOrder, fault.CodeInvalidQuantity, "the quantity of a product is 1 to %d", MaxOrderQuantity).In("quantity")
	}
	return p, nil
}

// price is what one costs: what the buyer says where it is up to them.
func (it *CartItem) price(p *catalog.Price, free bool) (int64, error) {
	if !p.PayWhatYouWant && !free {
		return discounted(p.Minor, p.DiscountBps), nil
	}
	least := p.Minor
	if free {
		least = 0
	}
	if it.Minor == nil {
		return max(p.Minor, p.SuggestedMinor), nil
	}
	if *it.Minor < least || *it.Minor > catalog.MaxPrice {
		return 0, fault.New(opOrder, fault.CodeInvalidAmount, "what is paid must be %d to %d minor units", least, int64(catalog.MaxPrice)).In("amount")
	}
	return *it.Minor, nil
}

// add puts some of a product into an order, at a price for one.
func (it *CartItem) add(defs *catalog.Definitions, o *Order, p *catalog.Product, each int64) error {
	line := OrderLine{Product: p.ID, Text: p.Name, Quantity: max(1, it.Quantity)}
	if it.Text != "" {
		line.Text = it.Text
	}
	line.Minor = priceOf(each, line.Quantity)
	o.Currency = p.Price.Currency
	if o.Minor += line.Minor; o.Minor > catalog.MaxPrice {
		return fault.New(opOrder, fault.CodeAmountOutOfRange, "the price would be more than %d minor units", int64(catalog.MaxPrice)).In("quantity")
	}
	if err := checkOverrides(it.Credits, p.Credits); err != nil {
		return err
	}
	for i := range p.Credits {
		item, err := it.item(defs, &p.Credits[i], &line, len(p.Credits))
		if err != nil {
			return err
		}
		item.Line = len(o.Cart)
		o.Items = append(o.Items, item)
	}
	o.Cart = append(o.Cart, line)
	return nil
}

// checkOverrides refuses other amounts than positive ones of credits that come along.
func checkOverrides(overrides map[string]int64, credits []catalog.ProductCredit) error {
	for credit, units := range overrides {
		if !slices.ContainsFunc(credits, func(c catalog.ProductCredit) bool { return c.Credit == credit }) {
			return fault.New(opOrder, fault.CodeCreditNotFound, "credit %q does not come with the product", credit).In("credits")
		}
		if units <= 0 || units > MaxUnits {
			return fault.New(opOrder, fault.CodeInvalidAmount, "the credits that are granted instead must be more than zero").In("credits")
		}
	}
	return nil
}

// item is one attached credit of a line, under the terms of the attachment: how many are attached in
// all share the line's price.
func (it *CartItem) item(defs *catalog.Definitions, a *catalog.ProductCredit, line *OrderLine, attached int) (OrderItem, error) {
	def := defs.Credits[a.Credit]
	if def == nil || !def.ArchivedAt.IsZero() {
		return OrderItem{}, fault.New(opOrder, fault.CodeCreditArchived, "the product gives a credit that is archived").In("product_id")
	}
	if def.Sales.Off {
		return OrderItem{}, errSalesOff(def)
	}
	each := a.Amount
	if other, ok := it.Credits[a.Credit]; ok {
		each = other
	}
	amount, err := money.MulDivFloor(each, line.Quantity, 1)
	if err != nil || amount > MaxUnits {
		return OrderItem{}, fault.New(opOrder, fault.CodeAmountOutOfRange, "the product would give more than a wallet can hold").In("quantity")
	}
	rollover := a.Rollover(def)
	item := OrderItem{
		Item: a.ID, Credit: a.Credit, Amount: amount, Scope: a.Scope, Category: a.Category, Priority: DefaultPriority,
		ExpiresAfterDays: a.Expiry(def), CostBasis: costBasis(line.Minor, int64(attached), amount, def.Precision), Rollover: &rollover,
	}
	if item.Category == "" {
		item.Category = catalog.Paid
	}
	if a.Priority != nil {
		item.Priority = *a.Priority
	}
	return item, nil
}

// onDemand are the terms of a subscription that is charged only when somebody asks: time brings neither
// a price nor credits, which come with each charge instead.
func (t *Terms) onDemand() {
	t.OnDemand, t.Minor, t.TrialMinor, t.TrialDays, t.Credits = true, 0, 0, 0, nil
}

// firstCharge is what beginning a subscription on demand costs, with what is granted for it.
func (c *PlaceOrder) firstCharge(defs *catalog.Definitions, o *Order) error {
	it := CartItem{Product: c.Plan.Plan, Quantity: c.Plan.Quantity, Minor: c.First, Credits: c.Overrides}
	p, err := it.product(defs)
	if err != nil {
		return err
	}
	if p.Price.Kind == catalog.UsageBasedPrice {
		return fault.New(opOrder, fault.CodeInvalidRequest, "what is priced by usage is not charged on demand").In("on_demand")
	}
	each, err := it.price(&p.Price, true)
	if err != nil || each == 0 {
		return err // only a card is kept
	}
	o.Minor = 0
	return it.add(defs, o, p, each)
}

// discounted is a price less its discount, rounded down in favour of who pays. The operands are bounded
// far below overflow.
func discounted(minor int64, bps int) int64 {
	return minor - (minor*int64(bps)+catalog.MaxDiscountBps-1)/catalog.MaxDiscountBps
}
