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

func TestOps(t *testing.T) {
	t.Setenv(OpsVariable, "") // restores the variable afterwards
	if err := os.Unsetenv(OpsVariable); err != nil {
		t.Fatal(err)
	}
	if got := Ops(t, 40); got != 40 {
		t.Errorf("without the setting: %d", got)
	}
	t.Setenv(OpsVariable, "7000")
	if got := Ops(t, 40); got != 7000 {
		t.Errorf("with the setting: %d", got)
	}
	for _, bad := range []string{"", "0", "-5", "many"} {
		t.Setenv(OpsVariable, bad)
		f := &fatal{}
		if Ops(f, 40); !f.failed {
			t.Errorf("%q is accepted", bad)
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
