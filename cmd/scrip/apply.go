package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/apply"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/internal/lookup"
	v1 "github.com/seed42445051/scrip/v1"
)

// applyCmd is scrip apply.
type applyCmd struct {
	database
	File   string `short:"f" required:"" placeholder:"FILE" help:"The catalog file; - is standard input."`
	App    string `placeholder:"NAME" help:"The app to define for, made where it is new; may be left out where there is only one."`
	Yes    bool   `short:"y" help:"Do not ask, also on a terminal."`
	DryRun bool   `help:"Show the difference and change nothing."`
}

// Run compares the file with what is defined and makes it so.
func (c *applyCmd) Run(w *world) error {
	text, err := c.read(w)
	if err != nil {
		return err
	}
	file, err := apply.Read(c.File, text)
	if err != nil {
		return err
	}
	if c.DryRun {
		return c.dryRun(w, file)
	}
	if c.App == "" {
		if c.App, err = c.theApp(w, ""); err != nil {
			return err
		}
	}
	return c.forApp(w, func(app v1.Operations) error { return c.compare(w, app, file, c.make) })
}

// dryRun shows the difference. It makes nothing, neither the app nor the file of the database.
func (c *applyCmd) dryRun(w *world, file *apply.File) error {
	show := func(_ *world, d *apply.Difference) error {
		_, err := fmt.Fprintf(w.out, "%s; nothing was done.\n", count(len(d.Changes), "change", "changes"))
		return err
	}
	name, err := c.theApp(w, c.App)
	if c.App != "" && fault.CodeOf(err) == fault.CodeNotFound {
		return c.compare(w, nil, file, show)
	}
	if err != nil {
		return err
	}
	c.App = name
	return c.forApp(w, func(app v1.Operations) error { return c.compare(w, app, file, show) }, scrip.WithoutMigration())
}

// forApp opens the app. Definitions are the same in both of its modes.
func (c *applyCmd) forApp(w *world, work func(v1.Operations) error, options ...scrip.Option) error {
	return c.with(w, func(s *scrip.Scrip) error {
		app, err := s.App(w.ctx, c.App, scrip.Live)
		if err != nil {
			return err
		}
		return work(app)
	}, options...)
}

// compare shows the difference, where there is one, and hands it on.
func (c *applyCmd) compare(w *world, app v1.Operations, file *apply.File, then func(*world, *apply.Difference) error) error {
	difference, err := file.Compare(w.ctx, app)
	if err != nil {
		return err
	}
	if difference.Empty() {
		_, err := fmt.Fprintf(w.out, "Nothing to do: app %q is as %s says.\n", c.App, c.File)
		return err
	}
	if err := difference.Write(w.out); err != nil {
		return err
	}
	return then(w, difference)
}

// make makes the changes, once somebody agreed to them.
func (c *applyCmd) make(w *world, difference *apply.Difference) error {
	n := count(len(difference.Changes), "change", "changes")
	if !c.Yes && isTerminal(w.in) && isTerminal(w.out) {
		fmt.Fprintf(w.out, "Make %s to app %q? [y/N] ", n, c.App)
		answer, _ := bufio.NewReader(w.in).ReadString('\n') // the end of the input is a no
		if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
			return fault.New("scrip.apply", fault.CodeInvalidRequest, "nothing was done: answer y, or say --yes")
		}
	}
	if err := difference.Apply(w.ctx); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w.out, "%s made.\n", n)
	return err
}

// isTerminal reports whether somebody may be there to answer.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (c *applyCmd) read(w *world) ([]byte, error) {
	if c.File == "-" {
		c.File = "standard input"
		return io.ReadAll(w.in)
	}
	text, err := os.ReadFile(c.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New("scrip.apply", fault.CodeInvalidConfig, "there is no file %s", c.File)
	}
	return text, err
}

// theApp finds the name of an app that is there; of the only one when the name is empty.
func (c *applyCmd) theApp(w *world, name string) (string, error) {
	err := c.look(w, func(d *lookup.Directory) error {
		app, err := d.App(w.ctx, name)
		name = app.Name
		return err
	})
	return name, err
}
