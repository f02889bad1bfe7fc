package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// startDev runs scrip dev and waits until it has said everything.
func startDev(t *testing.T, dir string) *process {
	t.Helper()
	p := startScrip(t, dir, "dev", "--addr", "127.0.0.1:0")
	p.stdout.find(t, `Ctrl-C stops the server`)
	return p
}

// curls are the commands that scrip dev prints.
func curls(text string) []string {
	return regexp.MustCompile(`(?m)^curl (?:.*\\\n)*.*$`).FindAllString(text, -1)
}

// shell runs a command as a person would who pasted it, and reads its JSON.
func shell(t *testing.T, command string) map[string]any {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", "-c", command).Output()
	if err != nil {
		t.Fatalf("%s\n%v", command, err)
	}
	var answer map[string]any
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("%s\n%v: %s", command, err, out)
	}
	return answer
}

// at follows names and indexes into JSON.
func at(t *testing.T, value any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch step := step.(type) {
		case string:
			object, _ := value.(map[string]any)
			value = object[step]
		case int:
			list, _ := value.([]any)
			if step >= len(list) {
				t.Fatalf("there is no %d in %v", step, list)
			}
			value = list[step]
		}
	}
	return value
}

// buy runs the command that sells, and pays on the page that it answers with.
func buy(t *testing.T, command string) {
	t.Helper()
	order := shell(t, command)
	if at(t, order, "status") != "open" || at(t, order, "amount") != 900.0 {
		t.Fatalf("ordered %v", order)
	}
	address, _ := at(t, order, "url").(string)
	pay(t, address)
}

// hidden finds the token that a page's form carries, and the number of the card that is filled in.
var hidden = regexp.MustCompile(`(?s)name="token" value="([^"]*)".*name="number" value="([^"]*)"`)

// pay opens a page of the sandbox and presses Pay, with the card that the page has filled in.
func pay(t *testing.T, address string) {
	t.Helper()
	browser := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	page, err := browser.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(page.Body)
	_ = page.Body.Close() // it was read
	filled := hidden.FindStringSubmatch(string(text))
	if err != nil || filled == nil {
		t.Fatalf("%s cannot be paid on: %v, status %d", address, err, page.StatusCode)
	}
	sent, err := browser.PostForm(address, url.Values{"token": {filled[1]}, "number": {filled[2]}, "do": {"pay"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = sent.Body.Close()
	if sent.StatusCode != http.StatusSeeOther {
		t.Fatalf("paying on %s was answered with %d", address, sent.StatusCode)
	}
}

func TestDevPrintsCommandsThatWork(t *testing.T) {
	p := startDev(t, t.TempDir())
	commands := curls(p.stdout.String())
	if len(commands) != 3 {
		t.Fatalf("%d commands in:\n%s", len(commands), p.stdout)
	}
	buy(t, commands[0])
	if got := at(t, shell(t, commands[1]), "entry", "amount"); got != "-3" {
		t.Errorf("deducted %v", got)
	}
	if got := at(t, shell(t, commands[2]), "data", 0, "available"); got != "997" {
		t.Errorf("balance %v", got)
	}
	if text := p.stdout.String(); strings.Contains(text, "dashboard") {
		t.Errorf("it promises what is not there:\n%s", text)
	}
	p.stop(os.Interrupt)
	if p.stderr.String() != "" {
		t.Errorf("it complains:\n%s", p.stderr)
	}
}

func TestDevKeepsItsKeys(t *testing.T) {
	dir := t.TempDir()
	first := startDev(t, dir)
	keys := readFile(t, dir, "scrip-dev.db.keys")
	if !strings.Contains(first.stdout.String(), "(new, and kept in scrip-dev.db.keys)") {
		t.Errorf("the first run does not say where the keys are:\n%s", first.stdout)
	}
	info, err := os.Stat(filepath.Join(dir, "scrip-dev.db.keys"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can read the keys: %v, %v", info.Mode(), err)
	}
	first.stop(syscall.SIGTERM)

	// The same keys and definitions again.
	second := startDev(t, dir)
	if again := readFile(t, dir, "scrip-dev.db.keys"); again != keys {
		t.Errorf("the keys changed from\n%sto\n%s", keys, again)
	}
	buy(t, curls(second.stdout.String())[0])
	second.stop(syscall.SIGTERM)

	// A key that was revoked is replaced; the others stay.
	list := runScrip(t, dir, "keys", "list", "--db", "sqlite:scrip-dev.db")
	id := regexp.MustCompile(`(key_\w+) +demo +test +secret`).FindStringSubmatch(list)
	runScrip(t, dir, "keys", "revoke", id[1], "--db", "sqlite:scrip-dev.db")
	third := startDev(t, dir)
	now := strings.Split(readFile(t, dir, "scrip-dev.db.keys"), "\n")
	before := strings.Split(keys, "\n")
	if now[1] == before[1] || now[2] != before[2] || now[3] != before[3] {
		t.Errorf("the keys changed from\n%sto\n%s", before, now)
	}
	if got := at(t, shell(t, curls(third.stdout.String())[2]), "data", 0, "available"); got != "1000" {
		t.Errorf("balance %v", got)
	}
	third.stop(syscall.SIGTERM)

	// Keys of a database that is gone are of no use.
	for _, name := range []string{"scrip-dev.db", "scrip-dev.db-wal", "scrip-dev.db-shm"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	fourth := startDev(t, dir)
	buy(t, curls(fourth.stdout.String())[0])
}

func TestTwoServersCannotShareAnAddress(t *testing.T) {
	dir := t.TempDir()
	p := startDev(t, dir)
	addr := p.stdout.find(t, `running at http://(\S+)`)
	other := startScrip(t, dir, "serve", "--addr", addr)
	if code := other.wait(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	want := "scrip: another program listens on " + addr + " already: stop it, or choose another address with --addr\n"
	if got := other.stderr.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func readFile(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
