// Command full is what `make bench` runs: it measures Scrip on SQLite and on PostgreSQL beside
// a handler written by hand, beside a server that only echoes, and beside the store's own
// ceiling, all on this machine and within one run, and says which targets were met.
//
// It owns the rivals, the throwaway PostgreSQL and the comparison. The load and the
// measurement are package bench's. Called with "serve" it is one of the servers instead, so
// that each has a process of its own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) > 0 && args[0] == "serve" {
		return serveRole(args[1:])
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&o.scrip, "scrip", "", "the binary to measure; this program's own server when empty")
	flags.DurationVar(&o.duration, "duration", 2*time.Second, "of each measurement")
	flags.DurationVar(&o.warmup, "warmup", 500*time.Millisecond, "before each measurement")
	flags.IntVar(&o.rounds, "rounds", 3, "how often everything is measured; the median counts")
	flags.Uint64Var(&o.seed, "seed", 1, "of what the clients draw")
	flags.StringVar(&o.folder, "folder", "", "where the databases are put; a temporary folder when empty")
	flags.StringVar(&o.only, "only", "", "parts to run, separated by commas: http, memory, inprocess, ceiling, flatness, webhooks, events; all when empty")
	clients := flags.String("clients", "1,16,64", "how many clients at one time, over HTTP")
	wallets := flags.String("wallets", "1,1000", "how many wallets they share, over HTTP")
	flags.StringVar(&o.operations, "operations", "", "over HTTP: "+deduction+", "+deductOnce+", "+reservation+"; all when empty")
	flags.IntVar(&o.stored, "stored", 1_000_000, "usage events that are there already where the cost of more is compared")
	flags.StringVar(&o.profiles, "profiles", "", "a folder for profiles of this program's own server")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var err error
	if o.clients, err = numbers(*clients); err != nil {
		return err
	}
	if o.wallets, err = numbers(*wallets); err != nil {
		return err
	}
	return full(ctx, o, os.Stdout)
}

// numbers reads numbers that commas separate.
func numbers(list string) ([]int, error) {
	var all []int
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}

// serveRole is one of the servers: serve ROLE ADDRESS [DATABASE [PROFILES]].
func serveRole(args []string) error {
	args = append(args, "", "", "", "")
	role, address, db, profiles := args[0], args[1], args[2], args[3]
	switch role {
	case "echo":
		return http.ListenAndServe(address, echo())
	case "handwritten":
		return serveHandwritten(address, db)
	case "scrip":
		return serveScrip(address, db, profiles)
	}
	return errors.New("serve is for this program's own use")
}
