package apply

import (
	"context"
	"strings"

	"github.com/seed42445051/scrip/fault"
)

// sold is how packs and plans are found.
type sold[T any] struct {
	what, id, name string // what is meant: by its id, else by its name
	onSale         []T
	of             func(*T) (id, name string)
	get            func(context.Context, string) (T, error)
	missing        fault.Code // what get says of one that is not there
}

// findSold finds the one that is meant: by its id, archived or not; without an id by its name, among
// those on sale.
func findSold[T any](ctx context.Context, c *comparison, path string, s sold[T]) (*T, error) {
	var named *T
	for i := range s.onSale {
		if _, name := s.of(&s.onSale[i]); named == nil && strings.EqualFold(name, strings.TrimSpace(s.name)) {
			named = &s.onSale[i]
		}
	}
	if s.id == "" {
		return named, nil
	}
	found, err := s.get(ctx, s.id)
	if err == nil {
		if foundID, _ := s.of(&found); foundID == s.id { // get takes names too
			return &found, nil
		}
	}
	if err != nil && fault.CodeOf(err) != s.missing {
		return nil, err
	}
	if named != nil {
		id, name := s.of(named)
		return nil, c.file.wrong(c.file.at(path+".id"), "there is a %s named %q already, with the id %q: use that id, or another name", s.what, name, id)
	}
	return nil, nil
}

// once refuses the same id or name twice in the file.
func (c *comparison) once(seen map[string]bool, path, what, id, name string) error {
	for _, key := range []string{"id " + id, "name " + strings.ToLower(strings.TrimSpace(name))} {
		if seen[key] && key != "id " {
			return c.file.wrong(c.file.at(path), "the file has a %s with the %s twice", what, key)
		}
		seen[key] = true
	}
	return nil
}

// sides are a pack or plan of the file and the one that is defined; oldID is empty where there is none.
type sides struct {
	what, name              string
	wantArchived            bool
	oldID, oldName          string
	oldArchived             bool
	fields, oldFields       []field
	create, update, archive func(context.Context) error
}

// compare notes what has to be done.
func (c *comparison) compare(path string, s *sides) error {
	switch {
	case s.wantArchived && (s.oldID == "" || s.oldArchived):
		return nil
	case s.oldID == "":
		c.diff.add(Change{Kind: Created, What: s.what, Name: s.name, Fields: changes(nil, s.fields), do: s.create})
		return nil
	case s.oldArchived:
		return c.file.wrong(c.file.at(path), "the %s %q is archived, which cannot be undone: give it archived: true, or choose another id", s.what, s.oldID)
	}
	if fields := changes(s.oldFields, s.fields); len(fields) > 0 {
		c.diff.add(Change{Kind: Changed, What: s.what, Name: s.oldName, Fields: fields, do: s.update})
	}
	if s.wantArchived {
		c.diff.add(Change{Kind: Archived, What: s.what, Name: s.oldName, do: s.archive})
	}
	return nil
}
