package stripefake

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// The page sizes of lists.
const (
	usualPage = 10
	mostPage  = 100
)

// paging are the parameters of every list.
const paging = " limit:int starting_after created[gte]:int created[gt]:int created[lte]:int created[lt]:int expand[*] "

// filter is a parameter of a list that a field must be equal to.
type filter struct{ param, path []string }

// list returns a route that lists objects, newest first. A filter is the name of
// a field that must be equal, or name=path.of.the.field; a name that ends in
// [*] is a list of which the field must be one.
func list(pattern, object string, filters ...string) route {
	words := paging
	var all []filter
	for _, text := range filters {
		name, path, ok := strings.Cut(text, "=")
		if !ok {
			path = name
		}
		words += " " + name
		param, _ := splitKey(strings.TrimSuffix(name, "[*]"))
		all = append(all, filter{param, strings.Split(path, ".")})
	}
	return route{"GET " + pattern, parseSpec(words), func(f *Fake, c *call) (any, error) {
		return f.page(c, object, func(e entity) bool { return c.selects(e, all) })
	}}
}

// page returns one page of the objects that keep accepts.
func (f *Fake) page(c *call, object string, keep func(entity) bool) (any, error) {
	limit := int64(usualPage)
	if c.has("limit") {
		limit = c.num("limit")
	}
	if limit < 1 || limit > mostPage {
		return nil, invalid("parameter_invalid_integer", "limit", "limit must be from 1 to %d.", mostPage)
	}
	all := slices.Clone(f.kinds[object])
	slices.Reverse(all)
	if after := c.text("starting_after"); after != "" {
		i := slices.IndexFunc(all, func(e entity) bool { return e.base().ID == after })
		if i < 0 {
			return nil, refused("resource_missing", "starting_after", "No such %s: '%s'", object, after)
		}
		all = all[i+1:]
	}
	found := newList[entity](c.path)
	for _, e := range all {
		if !c.within(e.base().Created) || !keep(e) {
			continue
		}
		if int64(len(found.Data)) == limit {
			found.HasMore = true
			break
		}
		found.Data = append(found.Data, e)
	}
	return found, nil
}

// within tells whether a time fits the bounds on created.
func (c *call) within(at int64) bool {
	bounds := c.at("created")
	return (!bounds.has("gte") || at >= bounds.num("gte")) && (!bounds.has("gt") || at > bounds.num("gt")) &&
		(!bounds.has("lte") || at <= bounds.num("lte")) && (!bounds.has("lt") || at < bounds.num("lt"))
}

// selects tells whether an object has what the filters ask for.
func (c *call) selects(e entity, filters []filter) bool {
	var all fields
	for _, filter := range filters {
		wanted := c.at(filter.param...)
		if wanted == nil {
			continue
		}
		if all == nil {
			all = snapshot(e)
		}
		values := []string{wanted.value}
		if wanted.fields != nil {
			values = wanted.texts()
		}
		if !slices.Contains(values, textAt(all, filter.path)) {
			return false
		}
	}
	return true
}

// textAt returns the text at a path of an object, or "".
func textAt(all fields, path []string) string {
	for len(path) > 1 {
		var inner fields
		if json.Unmarshal(all[path[0]], &inner) != nil {
			return ""
		}
		all, path = inner, path[1:]
	}
	var text string
	_ = json.Unmarshal(all[path[0]], &text) // what is no text is equal to none
	return text
}

// expand replaces ids by the objects that they stand for, at each of the paths.
func (f *Fake) expand(result any, paths []string) (any, error) {
	if len(paths) == 0 {
		return result, nil
	}
	tree := asTree(result)
	for _, path := range paths {
		if !f.expandAt(tree, strings.Split(path, ".")) {
			return nil, invalid("", "expand", "This property cannot be expanded (%s).", path)
		}
	}
	return tree, nil
}

// asTree is an object as maps and slices. Numbers stay as they are written.
func asTree(v any) any {
	var tree any
	body, _ := encode(v)
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	_ = d.Decode(&tree) // what was just encoded
	return tree
}

// expandAt expands one path, and tells whether there is such a thing.
func (f *Fake) expandAt(tree any, path []string) bool {
	if len(path) == 0 {
		return true
	}
	switch node := tree.(type) {
	case []any:
		for _, e := range node {
			if !f.expandAt(e, path) {
				return false
			}
		}
		return true
	case map[string]any:
		return f.expandIn(node, path)
	}
	return tree == nil // nothing there to expand
}

func (f *Fake) expandIn(node map[string]any, path []string) bool {
	value, known := node[path[0]]
	id, isText := value.(string)
	switch {
	case !known:
		included := f.included(node, path[0])
		if included == nil {
			return false
		}
		node[path[0]] = asTree(included)
	case isText:
		e, ok := f.byID[id]
		if !ok {
			return false
		}
		node[path[0]] = asTree(e)
	}
	return f.expandAt(node[path[0]], path[1:])
}

// included returns a list that an object has only when it is asked for.
func (f *Fake) included(node map[string]any, name string) any {
	id, _ := node["id"].(string)
	switch e := f.byID[id].(type) {
	case *session:
		if name == "line_items" {
			return newList("/v1/checkout/sessions/"+id+"/line_items", e.lines...)
		}
	case *invoice:
		if name == "payments" {
			return newList("/v1/invoice_payments", e.payments()...)
		}
	case *charge:
		if name == "refunds" {
			return newList("/v1/charges/"+id+"/refunds", f.refundsOf(id)...)
		}
	}
	return nil
}
