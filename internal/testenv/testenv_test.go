package testenv

import (
	"os"
	"testing"
)

// fatal records that a test was failed, and lets the caller go on.
type fatal struct {
	testing.TB
	failed bool
}

func (f *fatal) Helper()               {}
func (f *fatal) Fatalf(string, ...any) { f.failed = true }

func TestNumbers(t *testing.T) {
	for variable, read := range map[string]func(testing.TB, int) int{OpsVariable: Ops, KillsVariable: Kills} {
		t.Setenv(variable, "") // restores the variable afterwards
		if err := os.Unsetenv(variable); err != nil {
			t.Fatal(err)
		}
		if got := read(t, 40); got != 40 {
			t.Errorf("without %s: %d", variable, got)
		}
		t.Setenv(variable, "7000")
		if got := read(t, 40); got != 7000 {
			t.Errorf("with %s: %d", variable, got)
		}
		for _, bad := range []string{"", "0", "-5", "many"} {
			t.Setenv(variable, bad)
			f := &fatal{}
			if read(f, 40); !f.failed {
				t.Errorf("%s=%q is accepted", variable, bad)
			}
		}
	}
}

func TestSeed(t *testing.T) {
	t.Setenv(SeedVariable, "") // restores the variable afterwards
	if err := os.Unsetenv(SeedVariable); err != nil {
		t.Fatal(err)
	}
	if one, other := Seed(t), Seed(t); one == other {
		t.Error("without the setting every run draws the same")
	}
	t.Setenv(SeedVariable, "18446744073709551615")
	if got := Seed(t); got != 1<<64-1 {
		t.Errorf("with the setting: %d", got)
	}
	for _, bad := range []string{"", "-5", "many"} {
		t.Setenv(SeedVariable, bad)
		f := &fatal{}
		if Seed(f); !f.failed {
			t.Errorf("%q is accepted", bad)
		}
	}
}
