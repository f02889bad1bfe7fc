package apply

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/credits"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
)

// codes compares all codes. Their packs are those of the file and those on sale.
func (c *comparison) codes(ctx context.Context) error {
	seen := map[string]bool{}
	for i := range c.file.Codes {
		want, path := &c.file.Codes[i], fmt.Sprintf("codes[%d]", i)
		want.Code = strings.TrimSpace(want.Code)
		if want.Code == "" {
			return c.file.wrong(c.file.at(path), "code is missing: a file names its codes, so that applying it again makes no others")
		}
		if want.Count != 0 || want.Prefix != "" {
			return c.file.wrong(c.file.at(path), "count and prefix make other codes each time: they have no place in a file")
		}
		folded := catalog.FoldCode(want.Code)
		if seen[folded] {
			return c.file.wrong(c.file.at(path+".code"), "the file has the code %q twice", want.Code)
		}
		seen[folded] = true
		if err := c.code(ctx, path, want); err != nil {
			return err
		}
	}
	return nil
}

// code compares one code with the one in use that has its text, if any.
func (c *comparison) code(ctx context.Context, path string, want *Code) error {
	def, err := credits.ReadCode(&want.CreateCodes, c.defs)
	if err != nil {
		return c.file.refused(path, err)
	}
	page, err := c.ops.ListCodes(ctx, v1.CodeQuery{Code: want.Code})
	if err != nil {
		return err
	}
	s := sides{what: "code", name: def.Text, wantArchived: want.Archived, fields: codeFields(def, c.defs)}
	if len(page.Data) > 0 {
		have, err := c.definedCode(ctx, &page.Data[0])
		if err != nil {
			return err
		}
		s.oldID, s.oldName, s.oldFields = page.Data[0].ID, page.Data[0].Code, codeFields(have, c.defs)
		if have.Pack != def.Pack || have.Credit != def.Credit || have.Amount != def.Amount || have.Category != def.Category || have.ExpiresAfterDays != def.ExpiresAfterDays {
			return c.file.wrong(c.file.at(path), "what the code %q gives cannot be changed: archive it, and define another", s.oldName)
		}
	}
	s.create = func(ctx context.Context) error { _, err := c.ops.CreateCodes(ctx, want.CreateCodes); return err }
	s.update = func(ctx context.Context) error {
		_, err := c.ops.UpdateCode(ctx, s.oldID, updateCode(def))
		return err
	}
	s.archive = func(ctx context.Context) error { _, err := c.ops.ArchiveCode(ctx, s.oldID); return err }
	return c.compare(path, &s)
}

// definedCode reads a code that is defined as if it stood in a file.
func (c *comparison) definedCode(ctx context.Context, old *v1.Code) (*catalog.Code, error) {
	if _, ok := c.defs.Packs[old.PackID]; !ok && old.PackID != "" { // off sale
		pack, err := c.ops.GetPack(ctx, old.PackID)
		if err != nil {
			return nil, err
		}
		c.defs.Packs[pack.ID] = &catalog.Pack{ID: pack.ID, Name: pack.Name, ArchivedAt: pack.ArchivedAt}
	}
	return credits.ReadCode(&v1.CreateCodes{
		Code: old.Code, PackID: old.PackID, CreditID: old.CreditID, Amount: old.Amount, Category: old.Category,
		ExpiresAfterDays: old.ExpiresAfterDays, ValidFrom: old.ValidFrom, ValidUntil: old.ValidUntil, MaxUses: old.MaxUses,
		MaxUsesPerCustomer: old.MaxUsesPerCustomer, Description: old.Description, Metadata: old.Metadata,
	}, c.defs)
}

// updateCode sets every field that can be changed, so that what the file leaves out gets its default
// back.
func updateCode(def *catalog.Code) v1.UpdateCode {
	metadata := v1.Metadata{} // empty, not null, which over HTTP would leave it as it is
	maps.Copy(metadata, def.Metadata)
	return v1.UpdateCode{
		ValidFrom: v1.ExpiresAt(def.ValidFrom), ValidUntil: v1.ExpiresAt(def.ValidUntil), MaxUses: &def.MaxUses,
		MaxUsesPerCustomer: &def.MaxUsesPerCustomer, Description: &def.Description, Metadata: &metadata,
	}
}

// codeFields lists what can be compared of a code. Its text is not: in any case it is the same code.
func codeFields(c *catalog.Code, defs *catalog.Definitions) []field {
	gives := ""
	if def, ok := defs.Credits[c.Credit]; ok {
		gives = fmt.Sprintf("%s of %q", money.FormatUnits(c.Amount, def.Precision), def.Name)
	} else if pack, ok := defs.Packs[c.Pack]; ok {
		gives = fmt.Sprintf("pack %q", pack.Name)
	}
	uses := ""
	if c.MaxUses > 0 {
		uses = strconv.FormatInt(c.MaxUses, 10)
	}
	pairs := make([]string, 0, len(c.Metadata))
	for _, key := range slices.Sorted(maps.Keys(c.Metadata)) {
		pairs = append(pairs, fmt.Sprintf("%s=%q", key, c.Metadata[key]))
	}
	return []field{
		{"gives", gives},
		{"category", string(c.Category)},
		{"expires_after_days", number(c.ExpiresAfterDays)},
		{"valid_from", instantText(c.ValidFrom)},
		{"valid_until", instantText(c.ValidUntil)},
		{"max_uses", uses},
		{"max_uses_per_customer", strconv.FormatInt(c.MaxUsesPerCustomer, 10)},
		{"description", c.Description},
		{"metadata", strings.Join(pairs, " ")},
	}
}

func instantText(at clock.Instant) string {
	if at.IsZero() {
		return ""
	}
	return at.String()
}

// knowPack lets codes name a pack: by its id, which one that is new may not have yet, or its name.
func (c *comparison) knowPack(def *catalog.Pack) {
	pack := *def
	if pack.ID == "" {
		pack.ID = newID(def.Name)
	}
	c.defs.Packs[pack.ID] = &pack
}

func (nothing) ListCodes(context.Context, v1.CodeQuery) (page v1.Page[v1.Code], err error) {
	return page, nil
}
