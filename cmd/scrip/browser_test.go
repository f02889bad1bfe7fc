package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// browserFolder is where the script is that drives a browser, and what it needs.
const browserFolder = "../../internal/acceptance/node"

// TestBuyingInABrowser has customers buy what scrip dev sells, in a real browser.
func TestBuyingInABrowser(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("chromium is not installed (%v); run: make setup", err)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("node is not installed (%v); run: make setup", err)
	}
	if _, err := os.Stat(filepath.Join(browserFolder, "node_modules", "playwright-core")); err != nil {
		t.Fatalf("what drives the browser is not installed (%v); run: make setup", err)
	}
	p := startDev(t, t.TempDir())
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, "<!doctype html><html lang=en><link rel=icon href=data:,><title>%s</title>", r.URL.Path)
	}))
	defer shop.Close()
	cmd := exec.CommandContext(t.Context(), node, filepath.Join("browser", "checkout.mjs"))
	cmd.Dir = browserFolder
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "CHROMIUM=" + chromium, "SHOP=" + shop.URL,
		"SCRIP_BASE_URL=http://" + p.stdout.find(t, `running at http://(\S+)`),
		"SCRIP_API_KEY=" + regexp.MustCompile(`test +secret +(sk_\S+)`).FindStringSubmatch(p.stdout.String())[1],
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil || out.String() != "5 customers\n" {
		t.Fatalf("node: %v\n%s\n%s", err, out.String(), p.stderr)
	}
	p.stop(os.Interrupt)
}
