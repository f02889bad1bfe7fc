package main

import (
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite"

	"github.com/seed42445051/scrip/internal/pgtest"
)

// tests stops the shared PostgreSQL after the run.
type tests struct{ *testing.M }

func (t tests) Run() int { return pgtest.Main(t.M, pgtest.WithoutFsync()) }

// TestMain puts this program into the PATH of every test as scrip.
func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){"scrip": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			if filepath.Base(env.WorkDir) == "script-postgres" {
				env.Setenv("PG", pgtest.URL(env.T().(testing.TB)))
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"sql":   runSQL,
			"mode":  checkMode,
		},
	})
}

// exits runs a command that must end with an exit code: exits 2 scrip --bad.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// runSQL changes a SQLite file behind Scrip's back: sql FILE STATEMENT.
func runSQL(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sql FILE STATEMENT")
	}
	ts.Check(execFile(ts.MkAbs(args[0]), args[1]))
}

func execFile(file, statement string) error {
	db, err := sql.Open("sqlite", file)
	if err != nil {
		return err
	}
	_, err = db.Exec(statement)
	return errors.Join(err, db.Close())
}

// execSQL is runSQL for tests in Go.
func execSQL(t *testing.T, file, statement string) {
	t.Helper()
	if err := execFile(file, statement); err != nil {
		t.Fatal(err)
	}
}

// checkMode checks a file's permissions: mode 0600 FILE.
func checkMode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode OCTAL FILE")
	}
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	want, err := strconv.ParseUint(args[0], 8, 32)
	ts.Check(err)
	if got := info.Mode().Perm(); got != os.FileMode(want) {
		ts.Fatalf("%s has mode %o, want %o", args[1], got, want)
	}
}
