package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/fault"
)

// verifyCmd is scrip verify.
type verifyCmd struct{ database }

// Run audits the books. It changes nothing, the schema included, so that it can be run beside
// servers of another version.
func (c *verifyCmd) Run(w *world) error {
	if err := c.exists(); err != nil {
		return err
	}
	return c.with(w, func(s *scrip.Scrip) error {
		report, err := s.Verify(w.ctx)
		if err != nil {
			return err
		}
		for _, d := range report.Differences {
			fmt.Fprintln(w.out, d)
		}
		n := len(report.Differences)
		fmt.Fprintf(w.out, "verified %s, %s and %s: %s\n", count(report.Wallets, "wallet", "wallets"),
			count(report.Grants, "grant", "grants"), count(report.Entries, "entry", "entries"), count(n, "difference", "differences"))
		if n > 0 {
			return fault.New("scrip.verify", fault.CodeInvariantViolated, "the books do not add up (%s, listed above): keep a copy of the database before anything else", count(n, "difference", "differences"))
		}
		return nil
	}, scrip.WithoutMigration())
}

// versionCmd is scrip version.
type versionCmd struct{}

// Run prints the version.
func (c *versionCmd) Run(w *world) error {
	_, err := fmt.Fprintf(w.out, "scrip %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// release is set by the linker (-X main.release=v1.2.3) in builds that no module version
// describes.
var release string

// version is the release, or what the go command knows of the build.
func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(unknown)"
}
