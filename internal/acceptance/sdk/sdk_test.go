// Package sdk has the TypeScript SDK, as it is built, work against a server.
package sdk

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/clock"
	v1 "github.com/seed42445051/scrip/v1"
)

// folder is where the SDK is, with its tests.
const folder = "../../../sdk/typescript"

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestSDK runs each of the SDK's test files against a server of its own, since a file moves the
// server's clock.
func TestSDK(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("node is not installed (%v); run: make setup", err)
	}
	current(t)
	files, err := filepath.Glob(filepath.Join(folder, "test", "*.test.*"))
	noError(t, err)
	if len(files) == 0 {
		t.Fatal("there are no test files")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), node, "--test", "--test-reporter=tap", filepath.Join("test", filepath.Base(file)))
			cmd.Dir = folder
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "SCRIP_BASE_URL=" + serve(t)}
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Run(); err != nil {
				t.Fatalf("node: %v\n%s", err, out.String())
			}
			if !strings.Contains(out.String(), "\n# pass ") || strings.Contains(out.String(), "\n# pass 0\n") {
				t.Fatalf("nothing was tested:\n%s", out.String())
			}
		})
	}
}

// current fails the test when the SDK was changed after it was built.
func current(t *testing.T) {
	t.Helper()
	built, err := os.Stat(filepath.Join(folder, "dist", "built"))
	if err != nil {
		t.Fatalf("the SDK is not built (%v); run: make setup", err)
	}
	for _, source := range []string{"src", "package.json", "tsconfig.json", "tsconfig.cjs.json"} {
		err := filepath.WalkDir(filepath.Join(folder, source), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err == nil && info.ModTime().After(built.ModTime()) {
				err = fmt.Errorf("%s is newer than what was built of it; run: make setup", path)
			}
			return err
		})
		noError(t, err)
	}
}

// serve starts Scrip over an empty database and returns its address. Beside the API it has what
// tests ask of it: POST /test/apps makes an app and its keys, POST /test/clock moves the clock.
func serve(t *testing.T) string {
	t.Helper()
	ctx := context.Background()
	now := clock.NewManual(clock.At(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)))
	mux := http.NewServeMux()
	over := httptest.NewServer(mux)
	s, err := scrip.Open(ctx, scrip.DB("sqlite:"+filepath.Join(t.TempDir(), "scrip.db")+"?sync=off"), scrip.WithClock(now), scrip.SweepEvery(0), scrip.PublicURL(over.URL))
	noError(t, err)
	t.Cleanup(func() {
		report, err := s.Verify(ctx)
		noError(t, err)
		for _, difference := range report.Differences {
			t.Errorf("audit: %s", difference)
		}
		noError(t, s.Close(ctx))
	})
	mux.Handle("/", s.Handler())
	mux.HandleFunc("POST /test/apps", func(w http.ResponseWriter, r *http.Request) {
		answer(w, func() (any, error) { return newApp(r.Context(), s, r.URL.Query().Get("name")) })
	})
	mux.HandleFunc("POST /test/clock", func(w http.ResponseWriter, r *http.Request) {
		answer(w, func() (any, error) {
			by, err := time.ParseDuration(r.URL.Query().Get("by"))
			now.Advance(by)
			return now.Now(), err
		})
	})
	t.Cleanup(over.Close)
	return over.URL
}

// keys are the keys of an app.
type keys struct {
	Live        string `json:"live"`
	Test        string `json:"test"`
	Publishable string `json:"publishable"`
}

func newApp(ctx context.Context, s *scrip.Scrip, name string) (keys, error) {
	var k keys
	for _, key := range []struct {
		text *string
		want v1.CreateKey
	}{
		{&k.Live, v1.CreateKey{Mode: "live", Kind: "secret"}},
		{&k.Publishable, v1.CreateKey{Mode: "live", Kind: "publishable"}},
		{&k.Test, v1.CreateKey{Mode: "test", Kind: "secret"}},
	} {
		mode := scrip.Live
		if key.want.Mode == "test" {
			mode = scrip.Test
		}
		app, err := s.App(ctx, name, mode)
		if err != nil {
			return k, err
		}
		made, err := app.CreateKey(ctx, key.want)
		if err != nil {
			return k, err
		}
		*key.text = made.Key
	}
	return k, nil
}

func answer(w http.ResponseWriter, what func() (any, error)) {
	v, err := what()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(v) // the caller misses what it does not get
}
