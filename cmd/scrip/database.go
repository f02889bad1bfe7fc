package main

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/internal/lookup"
)

// database is the flag that says where everything is.
type database struct {
	DB string `name:"db" default:"sqlite:scrip.db" placeholder:"ADDRESS" help:"Database: sqlite:FILE or postgres://USER:PASSWORD@HOST/NAME (${default})."`
}

// with opens the database for a short while. Nothing is swept, and no webhook is sent: that is
// the business of servers.
func (d *database) with(w *world, work func(*scrip.Scrip) error, options ...scrip.Option) error {
	options = append([]scrip.Option{scrip.DB(d.DB), scrip.SweepEvery(0), scrip.WithoutWebhooks(), scrip.WithLog(w.log(slog.LevelWarn))}, options...)
	s, err := scrip.Open(w.ctx, options...)
	if err != nil {
		return err
	}
	return errors.Join(work(s), s.Close(w.ctx))
}

// look reads apps and keys of a database that must be there.
func (d *database) look(w *world, read func(*lookup.Directory) error) error {
	if err := d.exists(); err != nil {
		return err
	}
	dir, err := lookup.Open(w.ctx, d.DB)
	if err != nil {
		return err
	}
	return errors.Join(read(dir), dir.Close())
}

// exists refuses a SQLite file that is not there, for commands that make no sense on a new one:
// a mistyped name must not look like a database in which all is well.
func (d *database) exists() error {
	path, ok := strings.CutPrefix(d.DB, "sqlite:")
	if !ok {
		return nil
	}
	path, _, _ = strings.Cut(path, "?")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fault.New("scrip.exists", fault.CodeNotFound, "there is no file %s", path).In("db")
	}
	return nil
}
