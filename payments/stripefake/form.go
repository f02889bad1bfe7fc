package stripefake

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// form is a request's parameters as the tree that their bracket keys describe:
// line_items[0][price] is the value at line_items, 0, price. A nil form has
// nothing in it.
type form struct {
	value  string
	leaf   bool
	fields map[string]*form
}

// parseForm builds the tree. Keys are taken in their order, so that the same
// request always gives the same error.
func parseForm(values url.Values) (*form, error) {
	root := &form{}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		path, ok := splitKey(key)
		if !ok {
			return nil, invalid("parameter_unknown", key, "Received unknown parameter: %s", key)
		}
		for _, value := range values[key] {
			if !root.put(path, value) {
				return nil, invalid("parameter_invalid", key, "Invalid parameter: %s is given twice, or as a value and a hash.", key)
			}
		}
	}
	return root, nil
}

// splitKey takes a[b][c] apart. An empty last part stands for the next element
// of a list.
func splitKey(key string) ([]string, bool) {
	name, rest, nested := strings.Cut(key, "[")
	if name == "" || strings.Contains(name, "]") {
		return nil, false
	}
	if !nested {
		return []string{name}, true
	}
	inner, closed := strings.CutSuffix(rest, "]")
	if !closed {
		return nil, false
	}
	path := append([]string{name}, strings.Split(inner, "][")...)
	for _, part := range path[1:] {
		if strings.ContainsAny(part, "[]") {
			return nil, false
		}
	}
	return path, true
}

// put stores a value, and tells whether there was room for it.
func (n *form) put(path []string, value string) bool {
	if len(path) == 0 {
		if n.leaf || n.fields != nil {
			return false
		}
		n.value, n.leaf = value, true
		return true
	}
	if n.leaf {
		return false
	}
	if n.fields == nil {
		n.fields = map[string]*form{}
	}
	name := path[0]
	if name == "" {
		name = strconv.Itoa(len(n.fields))
	}
	if n.fields[name] == nil {
		n.fields[name] = &form{}
	}
	return n.fields[name].put(path[1:], value)
}

// at returns what is at a path, or nil.
func (n *form) at(path ...string) *form {
	for _, name := range path {
		if n == nil {
			return nil
		}
		n = n.fields[name]
	}
	return n
}

// has tells whether something was sent at a path, an empty value too.
func (n *form) has(path ...string) bool { return n.at(path...) != nil }

func (n *form) text(path ...string) string {
	if found := n.at(path...); found != nil {
		return found.value
	}
	return ""
}

// num returns a whole number. That it is one has been checked by the route's spec.
func (n *form) num(path ...string) int64 {
	i, _ := strconv.ParseInt(n.text(path...), 10, 64)
	return i
}

func (n *form) is(path ...string) bool { return n.text(path...) == "true" }

// list returns the elements of a list in the order of their indices.
func (n *form) list(path ...string) []*form {
	found := n.at(path...)
	if found == nil {
		return nil
	}
	names := slices.SortedFunc(maps.Keys(found.fields), func(a, b string) int {
		i, _ := strconv.Atoi(a)
		j, _ := strconv.Atoi(b)
		return cmp.Or(cmp.Compare(i, j), cmp.Compare(a, b))
	})
	all := make([]*form, len(names))
	for i, name := range names {
		all[i] = found.fields[name]
	}
	return all
}

func (n *form) texts(path ...string) []string {
	all := []string{}
	for _, e := range n.list(path...) {
		all = append(all, e.value)
	}
	return all
}

// pairs returns the names and values at a path, never nil.
func (n *form) pairs(path ...string) map[string]string {
	all := map[string]string{}
	if found := n.at(path...); found != nil {
		for name, e := range found.fields {
			all[name] = e.value
		}
	}
	return all
}

// key writes a path as its bracket key.
func key(path []string) string {
	if len(path) == 1 {
		return path[0]
	}
	return path[0] + "[" + strings.Join(path[1:], "][") + "]"
}
