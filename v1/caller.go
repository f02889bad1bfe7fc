package v1

import "github.com/seed42445051/scrip/catalog"

// Caller is who acts, for which app and mode.
type Caller struct {
	App   string
	Mode  catalog.Mode
	Key   string // id of the API key; empty: the process itself
	Actor string // for the record; empty: the key's id
}

// Name is what the record calls the caller.
func (c Caller) Name() string {
	if c.Actor == "" {
		return c.Key
	}
	return c.Actor
}
