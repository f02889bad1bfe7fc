package apply_test

import (
	"strings"
	"testing"

	"github.com/seed42445051/scrip/apply"
	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
)

// kit is the example of the seed, as it stands in the kit's own configuration.
const kit = `
billing: {
credits: {
  enabled: true,
  enterManually: true,
  pricePerCredit: 0.01,
  initialBonusCredits: 50,
  packages: [
    {
      id: 'starter',
      priceId: 'price_starter',
      name: 'Starter Pack',
      description: '1000 credits for $10',
      amount: 10,
      currency: 'usd',
      creditsAmount: 1000,
    },
    {
      id: 'pro',
      name: 'Pro Pack',
      amount: 40,
      creditsAmount: 5000,
    },
  ],
},
}
`

// TestGoLiveKit reads the rows of vevee-golivekit-stripe.md section 3.3 that are configuration.
func TestGoLiveKit(t *testing.T) {
	credit := func(t *testing.T, ops v1.Operations, text string) v1.Credit {
		settle(t, ops, text)
		c, err := ops.GetCredit(t.Context(), apply.KitCredit)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	pack := func(t *testing.T, ops v1.Operations, packID string) v1.Pack {
		p, err := ops.GetPack(t.Context(), packID)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, row := range []struct {
		name string
		run  func(t *testing.T, ops v1.Operations)
	}{
		{"G09 bonus credits go first", func(t *testing.T, ops v1.Operations) {
			if c := credit(t, ops, kit); c.DrawOrder[0] != "category" || c.Precision != 0 {
				t.Errorf("%+v", c)
			}
		}},
		{"G10 enabled switch", func(t *testing.T, ops v1.Operations) {
			if c := credit(t, ops, strings.Replace(kit, "enabled: true", "enabled: false", 1)); !c.Sales.Off {
				t.Errorf("%+v", c.Sales)
			}
			if c := credit(t, ops, kit); c.Sales.Off {
				t.Errorf("%+v", c.Sales)
			}
		}},
		{"G11 price per credit", func(t *testing.T, ops v1.Operations) {
			for price, want := range map[string]string{"0.01": "1", "0.0125": "1.25", "'2'": "200"} {
				if c := credit(t, ops, strings.Replace(kit, "pricePerCredit: 0.01", "pricePerCredit: "+price, 1)); string(c.Sales.PricePerCredit) != want || c.Sales.Currency != "usd" {
					t.Errorf("%s: %+v", price, c.Sales)
				}
			}
			yen := strings.NewReplacer("'usd'", "'JPY'", "amount: 40", "amount: 40, currency: jpy", "pricePerCredit: 0.01", "pricePerCredit: 1.5").Replace(kit)
			if c := credit(t, ops, yen); c.Sales.PricePerCredit != "1.5" || c.Sales.Currency != "jpy" {
				t.Errorf("%+v", c.Sales)
			}
		}},
		{"G12 manual top-up off", func(t *testing.T, ops v1.Operations) {
			if c := credit(t, ops, kit); !c.Sales.AnyAmount {
				t.Errorf("%+v", c.Sales)
			}
			if c := credit(t, ops, strings.Replace(kit, "enterManually: true", "enterManually: false", 1)); c.Sales.AnyAmount {
				t.Errorf("%+v", c.Sales)
			}
		}},
		{"G14 bonus for registration", func(t *testing.T, ops v1.Operations) {
			if c := credit(t, ops, kit); c.Sales.SignupBonus != "50" {
				t.Errorf("%+v", c.Sales)
			}
		}},
		{"G15 registration bonus is optional", func(t *testing.T, ops v1.Operations) {
			for _, text := range []string{"", "initialBonusCredits: 0,"} {
				if c := credit(t, ops, strings.Replace(kit, "initialBonusCredits: 50,", text, 1)); c.Sales.SignupBonus != "" {
					t.Errorf("%q: %+v", text, c.Sales)
				}
			}
		}},
		{"G16 package fields", func(t *testing.T, ops v1.Operations) {
			c := credit(t, ops, kit)
			p := pack(t, ops, "starter")
			if p.ID != "starter" || p.PriceRef != "price_starter" || p.Name != "Starter Pack" || p.Description != "1000 credits for $10" ||
				len(p.Items) != 1 || p.Items[0].CreditID != c.ID || p.Items[0].Category != "paid" {
				t.Errorf("%+v", p)
			}
		}},
		{"G17 currency defaults to usd", func(t *testing.T, ops v1.Operations) {
			settle(t, ops, kit)
			if p := pack(t, ops, "pro"); p.Currency != "usd" {
				t.Errorf("%+v", p)
			}
		}},
		{"G18 starter is 1000 for 10", func(t *testing.T, ops v1.Operations) {
			settle(t, ops, kit)
			if p := pack(t, ops, "starter"); p.Price != 1000 || p.Items[0].Amount != "1000" {
				t.Errorf("%+v", p)
			}
		}},
		{"G19 pro is 5000 for 40", func(t *testing.T, ops v1.Operations) {
			settle(t, ops, kit)
			if p := pack(t, ops, "pro"); p.Price != 4000 || p.Items[0].Amount != "5000" {
				t.Errorf("%+v", p)
			}
		}},
		{"G20 id is the product's, priceId the price's", func(t *testing.T, ops v1.Operations) {
			settle(t, ops, kit)
			if p := pack(t, ops, "pro"); p.PriceRef != "" {
				t.Errorf("%+v", p)
			}
		}},
		{"G21 the configuration wins", func(t *testing.T, ops v1.Operations) {
			settle(t, ops, kit)
			settle(t, ops, strings.Replace(kit, "amount: 40", "amount: 39.90", 1))
			if p := pack(t, ops, "pro"); p.Price != 3990 || p.Items[0].Amount != "5000" {
				t.Errorf("%+v", p)
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) { everywhere(t, row.run) })
	}
}

// TestGoLiveKitThatCannotBe is refused in the configuration's own words.
func TestGoLiveKitThatCannotBe(t *testing.T) {
	for what, c := range map[string]struct{ old, new, want string }{
		"a cent in three parts":        {"amount: 40", "amount: 40.005", `catalog.yaml:21: amount: "40.005" has too many decimals; at most 2 are allowed`},
		"a part of a yen":              {"amount: 10,\n      currency: 'usd'", "amount: 10.5,\n      currency: jpy", `catalog.yaml:14: amount: "10.5" has too many decimals; at most 0 are allowed`},
		"several currencies":           {"amount: 40", "amount: 40.5, currency: JPY", "pricePerCredit is in the currency of the packages, and they have several: usd and jpy"},
		"an unknown field":             {"enterManually", "enterManualy", `catalog.yaml:5: unknown field "enterManualy"; known: enabled, enterManually, initialBonusCredits, packages, pricePerCredit`},
		"an unknown field of packages": {"creditsAmount: 5000", "credits: 5000", `catalog.yaml:22: unknown field "credits"; known: amount, creditsAmount, currency, description, id, name, priceId`},
		"an unknown part of billing":   {"credits: {", "plans: {}, credits: {", `catalog.yaml:3: unknown field "plans"; known: credits`},
		"a package without an id":      {"id: 'pro',", "", "catalog.yaml:18: id is missing"},
		"a package without a price":    {"amount: 40,", "", "amount is missing"},
		"a package of nothing":         {"creditsAmount: 5000", "creditsAmount: 0", "catalog.yaml:22: creditsAmount must be above zero"},
		"half a credit":                {"creditsAmount: 5000", "creditsAmount: 0.5", `catalog.yaml:22: creditsAmount: "0.5" has too many decimals`},
		"a negative bonus":             {"initialBonusCredits: 50", "initialBonusCredits: -1", "catalog.yaml:7: initialBonusCredits must not be negative"},
		"any amount at no price":       {"pricePerCredit: 0.01,", "", "catalog.yaml:5: enterManually needs a pricePerCredit"},
		"any amount for nothing":       {"pricePerCredit: 0.01", "pricePerCredit: 0", "catalog.yaml:6: pricePerCredit must be above zero"},
		"no currency":                  {"'usd'", "'dollars'", "catalog.yaml:15: currency: currency must be the three letters"},
		"a package twice":              {"id: 'pro'", "id: 'starter'", "the file has a pack with the id starter twice"},
	} {
		if !strings.Contains(kit, c.old) {
			t.Fatalf("%s: %q is not in the file", what, c.old)
		}
		file, err := apply.Read("catalog.yaml", []byte(strings.Replace(kit, c.old, c.new, 1)))
		if err == nil {
			_, err = file.Compare(t.Context(), nil)
		}
		if fault.CodeOf(err) != fault.CodeInvalidConfig || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
}
