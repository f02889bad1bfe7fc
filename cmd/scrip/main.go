// Command scrip is the server and its tools: run it, make keys for it, describe what it sells,
// and prove its books.
//
// It owns flags, environment, help, exit codes and the words for people. The work is done by
// package scrip and the packages that it hands what it has read; nothing here decides anything.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // plans count in time zones, also on machines without a list of them

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitOK = iota
	exitFailure
	exitUsage
)

// cli is the whole command line. Every flag is also an environment variable: SCRIP_ and the
// flag's name in capitals.
type cli struct {
	Log string `enum:"text,json" default:"text" help:"How to log: text or json."`

	Dev     devCmd     `cmd:"" help:"Try Scrip: a server on a local file, with an app, keys and something to sell."`
	Serve   serveCmd   `cmd:"" help:"Run the server."`
	Keys    keysCmd    `cmd:"" help:"Make, list and revoke API keys."`
	Apply   applyCmd   `cmd:"" help:"Make credits, meters, packs, plans and codes what a file says; show the difference first."`
	Verify  verifyCmd  `cmd:"" help:"Recompute every balance from its entries, and list what does not add up."`
	Bench   benchCmd   `cmd:"" help:"Load a server on this machine; print rates and latencies, and check the books afterwards."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

// world is what a command has around it.
type world struct {
	ctx    context.Context
	in     io.Reader
	out    io.Writer
	err    io.Writer
	format string // of the log
}

// log returns where to log what is at least as grave as level.
func (w *world) log(level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if w.format == "json" {
		return slog.New(slog.NewJSONHandler(w.err, options))
	}
	return slog.New(slog.NewTextHandler(w.err, options))
}

func main() { os.Exit(run(os.Args[1:])) }

// run is main with a result.
func run(args []string) int {
	var c cli
	parser := newParser(&c)
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "scrip: %s\n%s\n", err, helpFor(err))
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	err = parsed.Run(&world{ctx: ctx, in: os.Stdin, out: os.Stdout, err: os.Stderr, format: c.Log})
	if err != nil {
		fmt.Fprintf(os.Stderr, "scrip: %s\n", explain(err))
		return exitFailure
	}
	return exitOK
}

func newParser(c *cli) *kong.Kong {
	return kong.Must(
		c, kong.Name("scrip"), kong.DefaultEnvars("SCRIP"),
		kong.Description("Prepaid credits for products: grant, hold, spend, and prove where every credit went."),
		kong.ConfigureHelp(kong.HelpOptions{NoExpandSubcommands: true, WrapUpperBound: helpWidth}),
		kong.Vars{"kinds": "secret,publishable"},
	)
}

// helpWidth keeps the help readable on wide screens, and the same in the documentation.
const helpWidth = 100

// helpFor says which help to read.
func helpFor(err error) string {
	command := "scrip"
	if failed := (*kong.ParseError)(nil); errors.As(err, &failed) && failed.Context != nil {
		for node := failed.Context.Selected(); node != nil && node.Parent != nil; node = node.Parent {
			command = "scrip " + node.Path()
			break
		}
	}
	return fmt.Sprintf("Run %q to see what there is.", command+" --help")
}
