package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/internal/lookup"
	v1 "github.com/seed42445051/scrip/v1"
)

// keysCmd is scrip keys.
type keysCmd struct {
	Create keysCreateCmd `cmd:"" help:"Make a key, and its app where that is new; print the key alone on standard output."`
	List   keysListCmd   `cmd:"" help:"List keys, revoked ones included."`
	Revoke keysRevokeCmd `cmd:"" help:"End a key at once, on every server."`
}

type keysCreateCmd struct {
	database
	App   string `required:"" placeholder:"NAME" help:"The app that the key is for; made where it is new."`
	Mode  string `required:"" placeholder:"MODE" help:"live, test, or test/NAME for a sandbox of its own: their balances never meet."`
	Kind  string `enum:"${kinds}" default:"secret" placeholder:"KIND" help:"secret (for backends) or publishable (for browsers: reads one customer, with a token) (${default})."`
	Label string `placeholder:"TEXT" help:"What to recognise the key by."`
}

// Validate checks what an enum cannot say.
func (c *keysCreateCmd) Validate() error {
	if !catalog.Mode(c.Mode).Valid() {
		return fmt.Errorf("--mode must be %s", catalog.ModeWords)
	}
	return nil
}

// Run makes a key. Its text is stored nowhere, so it is printed where a script can take it.
func (c *keysCreateCmd) Run(w *world) error {
	return c.with(w, func(s *scrip.Scrip) error {
		app, err := s.App(w.ctx, c.App, catalog.Mode(c.Mode))
		if err != nil {
			return err
		}
		key, err := app.CreateKey(w.ctx, v1.CreateKey{Kind: c.Kind, Label: c.Label})
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(w.out, key.Key); err != nil {
			return err
		}
		_, err = fmt.Fprintf(w.err, "%s key %s of app %q, mode %s. It is shown this once.\n", key.Kind, key.ID, c.App, key.Mode)
		return err
	})
}

type keysListCmd struct {
	database
	App string `placeholder:"NAME" help:"Only the keys of this app."`
}

// Run lists keys.
func (c *keysListCmd) Run(w *world) error {
	var keys []lookup.Key
	err := c.look(w, func(d *lookup.Directory) (err error) {
		keys, err = d.Keys(w.ctx, c.App)
		return err
	})
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(w.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tAPP\tMODE\tKIND\tBEGINS WITH\tCREATED\tREVOKED\tLABEL")
	for _, k := range keys {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.AppName, k.Mode, k.Kind, k.Prefix, k.CreatedAt, k.RevokedAt, k.Label)
	}
	return table.Flush()
}

type keysRevokeCmd struct {
	database
	ID string `arg:"" help:"Id of the key, as scrip keys list shows it."`
}

// Run ends a key.
func (c *keysRevokeCmd) Run(w *world) error {
	var found lookup.Key
	err := c.look(w, func(d *lookup.Directory) (err error) {
		found, err = d.Key(w.ctx, c.ID)
		return err
	})
	if err != nil {
		return err
	}
	return c.with(w, func(s *scrip.Scrip) error {
		app, err := s.App(w.ctx, found.AppName, found.Mode)
		if err != nil {
			return err
		}
		key, err := app.RevokeKey(w.ctx, c.ID)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w.out, "revoked %s (%s..., app %q) at %s\n", key.ID, key.Prefix, found.AppName, key.RevokedAt)
		return err
	})
}
