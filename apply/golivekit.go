package apply

import (
	"fmt"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
)

// Billing is GoLiveKit's configuration of billing, under its own names. It says in other words what
// credits and packs say: one credit, of which bonus credits go before purchased ones, and a pack for
// each package (vevee-golivekit-stripe.md section 3.1).
type Billing struct {
	Credits *KitCredits `json:"credits"`
}

// KitCredits is how GoLiveKit sells credits. Prices are in major units, as in 9.99.
type KitCredits struct {
	Enabled             bool          `json:"enabled"`
	PricePerCredit      money.Decimal `json:"pricePerCredit"`      // of credits that are bought by number
	EnterManually       bool          `json:"enterManually"`       // they can be
	InitialBonusCredits money.Decimal `json:"initialBonusCredits"` // for each customer who registers
	Packages            []KitPackage  `json:"packages"`
}

// KitPackage is a number of credits at a price.
type KitPackage struct {
	ID            string        `json:"id"`
	PriceID       string        `json:"priceId"` // the payment provider's
	Name          string        `json:"name"`
	Description   string        `json:"description"`
	Amount        money.Decimal `json:"amount"`
	Currency      string        `json:"currency"` // usd when absent
	CreditsAmount money.Decimal `json:"creditsAmount"`
}

// KitCredit is the name of the credit that GoLiveKit's configuration defines.
const KitCredit = "Credits"

const kitPath = "billing.credits"

// expand adds to the file's credits and packs what its configuration of GoLiveKit comes to.
func (f *File) expand() error {
	if f.Billing == nil || f.Billing.Credits == nil {
		return nil
	}
	k := f.Billing.Credits
	currency := ""
	for i := range k.Packages {
		p, path := &k.Packages[i], fmt.Sprintf("%s.packages[%d]", kitPath, i)
		if p.Currency = strings.ToLower(p.Currency); p.Currency == "" {
			p.Currency = "usd"
		}
		if currency != "" && currency != p.Currency && k.PricePerCredit != "" {
			return f.wrong(f.at(path+".currency"), "pricePerCredit is in the currency of the packages, and they have several: %s and %s", currency, p.Currency)
		}
		currency = p.Currency
		pack, err := f.kitPack(path, p)
		if err != nil {
			return err
		}
		f.Packs = append(f.Packs, pack)
	}
	if currency == "" {
		currency = "usd"
	}
	sales, err := f.kitSales(k, currency)
	if err != nil {
		return err
	}
	f.Credits = append(f.Credits, Credit{at: kitPath, CreateCredit: v1.CreateCredit{
		Name: KitCredit, Unit: "credit", DrawOrder: v1.DrawOrder{"promotional_first"}, Sales: sales,
	}})
	return nil
}

func (f *File) kitPack(path string, p *KitPackage) (Pack, error) {
	out := Pack{at: path, CreatePack: v1.CreatePack{
		ID: p.ID, Name: p.Name, Description: p.Description, Currency: p.Currency, PriceRef: p.PriceID,
		Items: []v1.PackItem{{CreditID: KitCredit, Amount: p.CreditsAmount}},
	}}
	if p.ID == "" {
		return out, f.wrong(f.at(path), "id is missing")
	}
	if err := catalog.CheckCurrency(p.Currency, "currency"); err != nil {
		return out, f.refused(path, err)
	}
	var err error
	if out.Price, err = f.kitNumber(path, "amount", p.Amount, money.CurrencyDecimals(strings.ToUpper(p.Currency))); err != nil {
		return out, err
	}
	n, err := f.kitNumber(path, "creditsAmount", p.CreditsAmount, 0)
	if err == nil && n == 0 {
		err = f.wrong(f.at(path+".creditsAmount"), "creditsAmount must be above zero")
	}
	return out, err
}

func (f *File) kitSales(k *KitCredits, currency string) (v1.Sales, error) {
	out := v1.Sales{Off: !k.Enabled, AnyAmount: k.EnterManually}
	if k.InitialBonusCredits != "" {
		if n, err := f.kitNumber(kitPath, "initialBonusCredits", k.InitialBonusCredits, 0); err != nil {
			return out, err
		} else if n > 0 {
			out.SignupBonus = k.InitialBonusCredits
		}
	}
	if k.PricePerCredit == "" {
		if k.EnterManually {
			return out, f.wrong(f.at(kitPath+".enterManually"), "enterManually needs a pricePerCredit")
		}
		return out, nil
	}
	// Minor units have the decimals that major units have beyond the currency's.
	decimals := money.CurrencyDecimals(strings.ToUpper(currency))
	scale := min(money.MaxPrecision, decimals+catalog.MaxPriceDecimals)
	price, err := f.kitNumber(kitPath, "pricePerCredit", k.PricePerCredit, scale)
	if err == nil && price == 0 && k.EnterManually {
		err = f.wrong(f.at(kitPath+".pricePerCredit"), "pricePerCredit must be above zero when enterManually is true")
	}
	if price > 0 {
		out.Currency, out.PricePerCredit = currency, money.Decimal(money.FormatUnits(price, scale-decimals))
	}
	return out, err
}

// kitNumber reads a number that is not negative, as a whole number of units of 10^-decimals.
func (f *File) kitNumber(path, name string, text money.Decimal, decimals int) (int64, error) {
	n, err := int64(0), error(nil)
	if text == "" {
		return 0, f.wrong(f.at(path), "%s is missing", name)
	}
	if n, err = text.Units(decimals); err != nil {
		return 0, f.refused(path, fault.As(err).In(name))
	}
	if n < 0 {
		return 0, f.wrong(f.at(path+"."+name), "%s must not be negative", name)
	}
	return n, nil
}
