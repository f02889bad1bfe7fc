package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/internal/pgtest"
)

// repository is the root, seen from this package.
const repository = "../.."

// TestDocs runs every command in the documents, and checks the answers that they show.
//
// The blocks of a page run in order, in one folder, and share their shell variables. What a
// block is, is said by its language: sh runs, js runs with the vendors' packages, ts is checked and
// runs with the SDK, json has to be part of the last answer before it, go has to compile, sql runs on the page's database, yaml is written to a file. Comments that
// a reader does not see prepare the ground:
//
//	<!-- test: dev -->            scrip dev runs from here on
//	<!-- test: serve -->          the next block is a server: it runs from here on
//	<!-- test: postgres NAME -->  NAME is the address of a fresh database
//	<!-- test: file NAME -->      the next block is the content of a file
//	<!-- test: run -->            the next block is a program: it runs from here on
//	<!-- test: pay -->            the reader opens the url of the answer before, and presses Pay
//
// A text in json that ends in ... is the beginning of what the answer has there.
func TestDocs(t *testing.T) {
	for _, name := range pages(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			p := newPage(t)
			for _, part := range parts(t, name) {
				p.run(t, part)
			}
			p.checkNoFailure(t)
		})
	}
}

func pages(t *testing.T) []string {
	t.Helper()
	names := []string{"README.md", "ARCHITECTURE.md"}
	err := filepath.WalkDir(filepath.Join(repository, "docs"), func(path string, d os.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".md" {
			name, _ := filepath.Rel(repository, path)
			names = append(names, name)
		}
		return err
	})
	if err != nil || len(names) < 8 {
		t.Fatalf("%v, %v", names, err)
	}
	return names
}

// part is a block of a page, or a comment for the test: then text is what it says.
type part struct {
	line     int
	language string
	text     string
}

// comment is the language of comments.
const comment = "<!--"

var fences = regexp.MustCompile("(?ms)^<!-- test: ([^\n]*?) -->$|^```([^\n]*)\n(.*?)^```$")

func parts(t *testing.T, name string) []part {
	t.Helper()
	text := readFile(t, repository, name)
	var all []part
	for _, m := range fences.FindAllStringSubmatchIndex(text, -1) {
		p := part{line: 1 + strings.Count(text[:m[0]], "\n"), language: comment}
		if m[2] >= 0 {
			p.text = text[m[2]:m[3]]
		} else {
			p.language, p.text = text[m[4]:m[5]], text[m[6]:m[7]]
		}
		all = append(all, p)
	}
	return all
}

// page is what one page has built up so far.
type page struct {
	dir, db  string
	env      []string
	addrs    map[string]string // addresses in the page to those that are free here
	answers  []any             // JSON that the block before wrote
	expected bool              // and that a block has been compared with
	next     string            // what the comment before says of the next block
}

func newPage(t *testing.T) *page {
	p := &page{dir: t.TempDir(), db: "scrip.db", addrs: map[string]string{}}
	root, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	// Only what the machine needs; nothing of SCRIP_ that the machine may have set.
	p.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.dir, "TMPDIR=" + p.dir, "REPOSITORY=" + root}
	return p
}

var address = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// local replaces the page's addresses by free ones.
func (p *page) local(t *testing.T, text string) string {
	return address.ReplaceAllStringFunc(text, func(addr string) string {
		if p.addrs[addr] == "" {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			p.addrs[addr] = l.Addr().String()
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		}
		return p.addrs[addr]
	})
}

func (p *page) run(t *testing.T, block part) {
	t.Helper()
	at := fmt.Sprintf("line %d", block.line)
	next := p.next
	p.next = ""
	switch block.language {
	case comment:
		p.prepare(t, block.text)
	case "sh":
		if next == "serve" {
			p.serve(t, block.text)
			return
		}
		p.checkNoFailure(t)
		p.shell(t, at, block.text)
	case "js":
		p.checkNoFailure(t)
		p.shell(t, at, node(block.text))
	case "ts":
		p.checkNoFailure(t)
		p.shell(t, at, typescript(block.text))
	case "json":
		p.compare(t, at, block.text)
	case "go":
		program := compile(t, at, p.local(t, block.text))
		if next == "run" {
			p.background(t, program).stderr.find(t, "listening")
		}
	case "sql":
		execSQL(t, filepath.Join(p.dir, p.db), strings.ReplaceAll(block.text, "INTO '", "INTO '"+p.dir+"/"))
	case "yaml":
		name, ok := strings.CutPrefix(next, "file ")
		if !ok {
			t.Fatalf("%s: there is no comment that says which file this is", at)
		}
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(block.text), 0o644); err != nil {
			t.Fatal(err)
		}
	case "text":
	default:
		t.Fatalf("%s: blocks are sh, js, ts, json, go, sql, yaml or text, not %q", at, block.language)
	}
}

// prepare does what a comment says, or keeps it for the next block.
func (p *page) prepare(t *testing.T, text string) {
	t.Helper()
	if name, ok := strings.CutPrefix(text, "postgres "); ok {
		p.env = append(p.env, name+"="+pgtest.URL(t))
		return
	}
	switch text {
	case "dev":
	case "pay":
		p.checkNoFailure(t)
		pay(t, p.page(t))
		return
	default:
		p.next = text
		return
	}
	p.db = "scrip-dev.db"
	dev := startScrip(t, p.dir, "dev", "--addr", p.local(t, "127.0.0.1:8080"))
	t.Cleanup(func() { dev.stop(syscall.SIGTERM) })
	dev.stdout.find(t, "Ctrl-C stops")
}

// page is the url of the last answer.
func (p *page) page(t *testing.T) string {
	t.Helper()
	for _, answer := range slices.Backward(p.answers) {
		if object, ok := answer.(map[string]any); ok && object["url"] != nil {
			return fmt.Sprint(object["url"])
		}
	}
	t.Fatalf("there is no page to pay on in %v", p.answers)
	return ""
}

// prelude stands before every block: variables last from block to block, and make says what it
// would do instead of doing it, since the tests are one of the things that it does.
const prelude = `set -ae
if [ -f .variables ]; then . ./.variables; fi
trap 'export -p > .variables' EXIT
make() { command make -n -C "$REPOSITORY" "$@" > /dev/null; }
`

func (p *page) shell(t *testing.T, at, text string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", prelude+p.local(t, text))
	cmd.Dir, cmd.Env = p.dir, p.env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", at, err, out, stderr.Bytes())
	}
	p.answers, p.expected = nil, false
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var answer any
		if err := d.Decode(&answer); err != nil {
			break // the end, or text for people
		}
		p.answers = append(p.answers, answer)
	}
}

// node is the command that runs a script where the npm packages of the tests are.
func node(text string) string {
	return `[ -d "$REPOSITORY/internal/acceptance/node/node_modules" ] || { echo "npm packages are missing; run: make setup" >&2; exit 1; }
(cd "$REPOSITORY/internal/acceptance/node" && node --input-type=module -) <<'END OF SCRIPT'
` + text + "END OF SCRIPT\n"
}

// typescript is the command that checks a program against the SDK and runs it: inside of the SDK,
// which finds itself by its name.
func typescript(text string) string {
	return `[ -f "$REPOSITORY/sdk/typescript/dist/built" ] || { echo "the SDK is not built; run: make setup" >&2; exit 1; }
(
folder=$(mktemp -d "$REPOSITORY/sdk/typescript/dist/docs-XXXXXX")
trap 'rm -rf "$folder"' EXIT
cat > "$folder/page.ts" <<'END OF PROGRAM'
` + text + `END OF PROGRAM
"$REPOSITORY/sdk/typescript/node_modules/.bin/tsc" --strict --skipLibCheck --target es2022 --module nodenext \
  --types node --typeRoots "$REPOSITORY/sdk/typescript/node_modules/@types" "$folder/page.ts" >&2
node "$folder/page.js"
)
`
}

func (p *page) serve(t *testing.T, text string) {
	t.Helper()
	server := p.background(t, p.local(t, text))
	t.Cleanup(func() { server.stop(syscall.SIGTERM) })
	server.stderr.find(t, "msg=serving")
}

// background runs a command that does not end by itself, with the page's variables.
func (p *page) background(t *testing.T, command string) *process {
	t.Helper()
	cmd := exec.Command("sh", "-c", "set -a; if [ -f .variables ]; then . ./.variables; fi; exec "+command)
	cmd.Env = p.env
	return start(t, cmd, p.dir)
}

// checkNoFailure fails when the block before was refused by the API and the page did not say
// so.
func (p *page) checkNoFailure(t *testing.T) {
	t.Helper()
	for _, answer := range p.answers {
		object, _ := answer.(map[string]any)
		if _, failed := object["code"]; failed && !p.expected {
			t.Fatalf("this failed: %v", answer)
		}
	}
}

// compare checks that what a page shows is a part of the last answer.
func (p *page) compare(t *testing.T, at, text string) {
	t.Helper()
	var want any
	if err := json.Unmarshal([]byte(p.local(t, text)), &want); err != nil {
		t.Fatalf("%s: %v", at, err)
	}
	if len(p.answers) == 0 {
		t.Fatalf("%s: there was no answer", at)
	}
	p.expected = true
	got := p.answers[len(p.answers)-1]
	if !partOf(want, got) {
		t.Errorf("%s: the page shows\n%sbut the answer was\n%v", at, text, got)
	}
}

// partOf reports whether an answer has all that is wanted; lists from their beginning.
func partOf(want, got any) bool {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		for name, value := range want {
			ok = ok && partOf(value, object[name])
		}
		return ok
	case []any:
		list, ok := got.([]any)
		for i, value := range want {
			ok = ok && i < len(list) && partOf(value, list[i])
		}
		return ok
	case string:
		if beginning, cut := strings.CutSuffix(want, "..."); cut {
			text, ok := got.(string)
			return ok && strings.HasPrefix(text, beginning)
		}
	}
	return want == got
}

// compile builds a program against the module as it is here, and returns its path.
func compile(t *testing.T, at, text string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "main.go")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "program")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", program, file)
	cmd.Dir = repository
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", at, err, out)
	}
	return program
}

func TestDocsShowEveryRoute(t *testing.T) {
	var document struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal([]byte(readFile(t, repository, "api", "openapi.json")), &document); err != nil {
		t.Fatal(err)
	}
	text := readFile(t, repository, "docs", "reference", "api.md")
	if len(document.Paths) == 0 {
		t.Fatal("the document is empty")
	}
	for path, methods := range document.Paths {
		for method := range methods {
			if slices.Contains([]string{"get", "post", "put", "patch"}, method) &&
				!strings.Contains(text, "`"+strings.ToUpper(method)+" "+path+"`") {
				t.Errorf("api.md lacks %s %s", strings.ToUpper(method), path)
			}
		}
	}
}

// TestDocsNameEveryEvent looks for what webhooks tell, and for what Stripe has to tell.
func TestDocsNameEveryEvent(t *testing.T) {
	text := readFile(t, repository, "docs", "reference", "api.md")
	for _, event := range catalog.EventTypes() {
		group, end, _ := strings.Cut(string(event), ".")
		if !regexp.MustCompile("(?m)^\\| .*`" + group + `\.(` + end + "|[a-z_]+`.*`\\." + end + ")`").MatchString(text) {
			t.Errorf("api.md lacks %s", event)
		}
	}
	text = readFile(t, repository, "docs", "operate.md")
	events := regexp.MustCompile(`"((?:checkout|payment_intent|setup_intent|charge|refund|customer|invoice)\.[a-z_.]+)"`)
	all := events.FindAllStringSubmatch(readFile(t, repository, "payments", "stripe", "read.go"), -1)
	if len(all) < 20 {
		t.Fatalf("only %d events are read", len(all))
	}
	for _, m := range all {
		if m[1] != "charge.refund.updated" && !strings.Contains(text, "`"+m[1]+"`") { // that one is refund.updated by its older name
			t.Errorf("operate.md lacks %s", m[1])
		}
	}
}

var rule = regexp.MustCompile("(?m)^\\| [^|]+ \\| `([^`]+\\.go)` \\| `(\\w+)` \\|$")

func TestArchitectureSaysWhereTheRulesAre(t *testing.T) {
	rows := rule.FindAllStringSubmatch(readFile(t, repository, "ARCHITECTURE.md"), -1)
	if len(rows) < 20 {
		t.Fatalf("only %d rows were found", len(rows))
	}
	for _, row := range rows {
		text := readFile(t, repository, row[1])
		if !regexp.MustCompile(`(?m)^(func (\([^)]*\) )?|type |var |\t)` + row[2] + `\b`).MatchString(text) {
			t.Errorf("%s does not declare %s", row[1], row[2])
		}
	}
}

var links = regexp.MustCompile(`\]\(([^)#]*)(#[^)]*)?\)`)

func TestDocsLinkToWhatIsThere(t *testing.T) {
	for _, name := range pages(t) {
		for _, m := range links.FindAllStringSubmatch(readFile(t, repository, name), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			target := filepath.Join(repository, name)
			if m[1] != "" {
				target = filepath.Join(filepath.Dir(target), m[1])
			}
			text, err := os.ReadFile(target)
			if err != nil {
				t.Errorf("%s links to %s: %v", name, m[1], err)
				continue
			}
			if m[2] != "" && !slices.Contains(anchors(string(text)), m[2]) {
				t.Errorf("%s links to %s%s, which has no such heading", name, m[1], m[2])
			}
		}
	}
}

var headings = regexp.MustCompile(`(?m)^#+ (.*)$`)

// anchors are the headings of a page as links name them.
func anchors(text string) []string {
	var all []string
	for _, m := range headings.FindAllStringSubmatch(text, -1) {
		name := strings.ToLower(strings.ReplaceAll(m[1], " ", "-"))
		all = append(all, "#"+regexp.MustCompile(`[^\w-]`).ReplaceAllString(name, ""))
	}
	return all
}
