package credits

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"strings"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// Codes that are made have 80 random bits: 16 characters in groups of 4, which no one misreads.
const (
	codeBytes   = 10
	codeGroup   = 4
	madeLength  = codeBytes*8/5 + (codeBytes*8/5-1)/codeGroup // with the hyphens between the groups
	codeLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)

var codeEncoding = base32.NewEncoding(codeLetters).WithPadding(base32.NoPadding)

// newCode makes a code's text that nobody can guess, behind a prefix.
func newCode(prefix string) string {
	var secret [codeBytes]byte
	rand.Read(secret[:])
	text := codeEncoding.EncodeToString(secret[:])
	groups := make([]string, 0, len(text)/codeGroup+1)
	if last := strings.TrimRight(prefix, "-_"); last != "" && last == prefix {
		prefix += "-"
	}
	for ; text != ""; text = text[codeGroup:] {
		groups = append(groups, text[:codeGroup])
	}
	return prefix + strings.Join(groups, "-")
}

// CreateCodes makes a code that customers can redeem, or many at once.
func (s *Session) CreateCodes(ctx context.Context, r v1.CreateCodes, opts ...v1.Option) (v1.Page[v1.Code], error) {
	page, err := caller.Define(ctx, s.author(), r, opts, func(defs *catalog.Definitions) (store.Definition, v1.Page[v1.Code], error) {
		fail := func(err error) (store.Definition, v1.Page[v1.Code], error) {
			return store.Definition{}, v1.Page[v1.Code]{}, err
		}
		model, err := ReadCode(&r, defs)
		if err != nil {
			return fail(err)
		}
		texts, err := codeTexts(&r)
		if err != nil {
			return fail(err)
		}
		page := v1.Page[v1.Code]{Data: make([]v1.Code, len(texts))}
		made := make([]*catalog.Code, len(texts))
		for i, text := range texts {
			c := *model
			c.ID, c.App, c.Text, c.CreatedAt = id.New(id.PrefixCode), s.caller.App, text, s.core.Clock.Now()
			c.UpdatedAt = c.CreatedAt
			if err := c.Validate(defs); err != nil {
				return fail(err)
			}
			made[i], page.Data[i] = &c, codeOut(store.FoundCode{Code: &c}, defs)
		}
		return store.Definition{Codes: made}, page, nil
	})
	if fault.CodeOf(err) == fault.CodeNameTaken {
		err = fault.New("credits.CreateCodes", fault.CodeNameTaken, "there is a code %q already in this app", caller.Clip(r.Code)).In("code").Because(err)
	}
	return page, err
}

// codeTexts are the texts of the codes to make.
func codeTexts(r *v1.CreateCodes) ([]string, error) {
	const op = "credits.CreateCodes"
	switch {
	case r.Count < 0 || r.Count > v1.MaxCodes:
		return nil, fault.New(op, fault.CodeInvalidRequest, "count must be 1 to %d, or absent for one code", v1.MaxCodes).In("count")
	case r.Code != "" && (r.Count != 0 || r.Prefix != ""):
		return nil, fault.New(op, fault.CodeConflictingFields, "a code that is given is one, and has no prefix: leave out count and prefix, or code").In("code")
	case !catalog.ValidCodePrefix(r.Prefix, madeLength+1) || len(r.Prefix) > v1.MaxCodePrefix:
		return nil, fault.New(op, fault.CodeInvalidRequest, "a prefix has at most %d letters of English, digits, - and _", v1.MaxCodePrefix).In("prefix")
	case r.Code != "":
		return []string{strings.TrimSpace(r.Code)}, nil
	}
	texts := make([]string, max(1, r.Count))
	for i := range texts {
		texts[i] = newCode(r.Prefix)
	}
	return texts, nil
}

// ReadCode reads a code as an operator wrote it, with its defaults, and checks it. The error names
// the field. It has no id yet, and no text where none is given.
func ReadCode(r *v1.CreateCodes, defs *catalog.Definitions) (*catalog.Code, error) {
	const op = "credits.ReadCode"
	if err := checkNote("", r.Metadata); err != nil {
		return nil, err
	}
	c := &catalog.Code{
		Text: strings.TrimSpace(r.Code), Category: catalog.Category(r.Category), ExpiresAfterDays: r.ExpiresAfterDays,
		ValidFrom: r.ValidFrom, ValidUntil: r.ValidUntil, MaxUses: r.MaxUses, MaxUsesPerCustomer: r.MaxUsesPerCustomer,
		Description: r.Description, Metadata: r.Metadata,
	}
	if c.MaxUsesPerCustomer == 0 {
		c.MaxUsesPerCustomer = 1
	}
	if r.Count != 0 {
		if r.MaxUses > 1 {
			return nil, fault.New(op, fault.CodeConflictingFields, "with count, each code can be used once: leave out max_uses").In("max_uses")
		}
		c.MaxUses = 1
	}
	switch {
	case r.PackID != "" && (r.CreditID != "" || r.Amount != ""):
		return nil, fault.New(op, fault.CodeConflictingFields, "a pack fixes credits and amounts: give pack_id, or credit_id and amount").In("pack_id")
	case r.PackID != "":
		pack, err := findPack(defs, r.PackID)
		if err != nil {
			return nil, err
		}
		c.Pack = pack.ID
	case r.CreditID != "":
		def, err := findCredit(defs, r.CreditID)
		if err != nil {
			return nil, err
		}
		c.Credit = def.ID
		if c.Category == "" {
			c.Category = catalog.Promotional
		}
		if c.Amount, err = units(r.Amount, def.Precision, "amount"); err != nil {
			return nil, err
		}
	}
	checked := *c
	if r.Code == "" {
		checked.Text = newCode("") // one that will do
	}
	return c, checked.Validate(defs)
}

func codeOut(c store.FoundCode, defs *catalog.Definitions) v1.Code {
	out := v1.Code{
		ID: c.ID, Code: c.Text, PackID: c.Pack, CreditID: c.Credit, Category: string(c.Category), ExpiresAfterDays: c.ExpiresAfterDays,
		ValidFrom: c.ValidFrom, ValidUntil: c.ValidUntil, MaxUses: c.MaxUses, MaxUsesPerCustomer: c.MaxUsesPerCustomer, Uses: c.Uses,
		Description: c.Description, Metadata: c.Metadata, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt, ArchivedAt: c.ArchivedAt,
	}
	if def, ok := defs.Credits[c.Credit]; ok {
		out.Amount = decimal(c.Amount, def.Precision)
	}
	return out
}

// findCode finds a code by its id, archived or not, or by the text of one in use.
func (s *Session) findCode(ctx context.Context, idOrText string) (store.FoundCode, error) {
	q := store.CodeQuery{App: s.caller.App, Mode: s.caller.Mode, ID: idOrText, Limit: 1}
	for {
		found, err := s.core.Store.Codes(ctx, q)
		if err != nil {
			return store.FoundCode{}, err
		}
		if len(found) > 0 {
			return found[0], nil
		}
		if q.Text != "" || !catalog.ValidCode(idOrText) {
			return store.FoundCode{}, errNoCode(idOrText)
		}
		q.ID, q.Text = "", idOrText
	}
}

func errNoCode(text string) error {
	return fault.New("credits.code", fault.CodeCodeNotFound, "there is no code %q in this app", caller.Clip(text)).In("code")
}

// GetCode reads a code, by its id or its text.
func (s *Session) GetCode(ctx context.Context, codeID string) (v1.Code, error) {
	defs, err := s.core.Engine.Definitions(ctx, s.caller.App)
	if err != nil {
		return v1.Code{}, err
	}
	found, err := s.findCode(ctx, codeID)
	if err != nil {
		return v1.Code{}, err
	}
	return codeOut(found, defs), nil
}

// ListCodes lists codes, the newest first, with how often they were used in the caller's mode.
func (s *Session) ListCodes(ctx context.Context, q v1.CodeQuery) (v1.Page[v1.Code], error) {
	page := v1.Page[v1.Code]{Data: []v1.Code{}}
	limit, err := v1.PageLimit(q.Limit)
	if err != nil {
		return page, err
	}
	query := store.CodeQuery{App: s.caller.App, Mode: s.caller.Mode, Text: q.Code, Archived: q.Archived == "true", Limit: limit + 1}
	if q.Cursor != "" {
		if query.After, err = v1.FromCursor("code", q.Cursor); err != nil {
			return page, err
		}
	}
	defs, err := s.core.Engine.Definitions(ctx, s.caller.App)
	if err != nil {
		return page, err
	}
	found, err := s.core.Store.Codes(ctx, query)
	if err != nil {
		return page, err
	}
	if len(found) > limit {
		found, page.HasMore = found[:limit], true
		page.NextCursor = v1.Cursor("code", found[limit-1].ID)
	}
	for _, c := range found {
		page.Data = append(page.Data, codeOut(c, defs))
	}
	return page, nil
}

// UpdateCode changes when and how often a code can be used. What is absent stays.
func (s *Session) UpdateCode(ctx context.Context, codeID string, r v1.UpdateCode, opts ...v1.Option) (v1.Code, error) {
	return s.changeCode(ctx, codeID, struct {
		ID string
		v1.UpdateCode
		From, Until v1.Expiry
	}{codeID, r, r.ValidFrom, r.ValidUntil}, opts, func(c *catalog.Code) error {
		if r.ValidFrom.Given {
			c.ValidFrom = r.ValidFrom.At
		}
		if r.ValidUntil.Given {
			c.ValidUntil = r.ValidUntil.At
		}
		v1.Set(&c.MaxUses, r.MaxUses)
		v1.Set(&c.MaxUsesPerCustomer, r.MaxUsesPerCustomer)
		v1.Set(&c.Description, r.Description)
		if r.Metadata != nil {
			c.Metadata = *r.Metadata
		}
		return checkNote("", c.Metadata)
	})
}

// ArchiveCode ends a code: what it gave stays, and its text can be used again. Archiving again is no
// error.
func (s *Session) ArchiveCode(ctx context.Context, codeID string, opts ...v1.Option) (v1.Code, error) {
	return s.changeCode(ctx, codeID, "archive code "+codeID, opts, func(c *catalog.Code) error {
		if c.ArchivedAt.IsZero() {
			c.ArchivedAt = s.core.Clock.Now()
		}
		return nil
	})
}

func (s *Session) changeCode(ctx context.Context, codeID string, request any, opts []v1.Option, change func(*catalog.Code) error) (v1.Code, error) {
	return caller.Define(ctx, s.author(), request, opts, func(defs *catalog.Definitions) (store.Definition, v1.Code, error) {
		// Codes change under the version of the definitions, so this is what the change will find.
		found, err := s.findCode(ctx, codeID)
		if err != nil {
			return store.Definition{}, v1.Code{}, err
		}
		c := *found.Code
		if err := change(&c); err != nil {
			return store.Definition{}, v1.Code{}, err
		}
		if err := c.Validate(defs); err != nil {
			return store.Definition{}, v1.Code{}, err
		}
		c.UpdatedAt = s.core.Clock.Now()
		return store.Definition{Codes: []*catalog.Code{&c}}, codeOut(store.FoundCode{Code: &c, Uses: found.Uses}, defs), nil
	})
}
