package mail

import (
	"bytes"
	"embed"
	htmltemplate "html/template"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	texttemplate "text/template"

	"github.com/seed42445051/scrip/fault"
)

//go:embed templates
var embedded embed.FS

// The endings of a template's file, and the file that all templates of an ending share.
const (
	subjectFile = ".subject"
	textFile    = ".txt"
	htmlFile    = ".html"
	layout      = "layout"
)

// Templates write letters. Make them with Load; they are safe for concurrent use.
type Templates struct {
	kinds map[Kind]*form
}

// form is how the letters of one kind are written.
type form struct {
	subject, text, html program
}

// program is a template of either package, ready to run.
type program interface {
	Name() string
	Execute(w io.Writer, data any) error
}

// Rendered is a letter as it is read.
type Rendered struct {
	Subject string // one line
	Text    string
	HTML    string
}

// Load reads the embedded templates and, unless folder is empty, those files of the folder that
// take their place. Each is tried, so that what is wrong with one is known before it is needed. The
// error's code is invalid_config; its message names file and line.
func Load(folder string) (*Templates, error) {
	files, err := read(folder)
	if err != nil {
		return nil, err
	}
	t := &Templates{kinds: map[Kind]*form{}}
	for _, kind := range Kinds() {
		if t.kinds[kind], err = parse(kind, files); err != nil {
			return nil, err
		}
		for _, sample := range Samples(kind) {
			if _, err := t.Render(sample); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

// Render writes a letter. The error's code is that of Letter.Check, or invalid_config when a template
// fails.
func (t *Templates) Render(l Letter) (Rendered, error) {
	if err := l.Check(); err != nil {
		return Rendered{}, err
	}
	f, p := t.kinds[l.Kind], newPage(l)
	subject, err := run(f.subject, p)
	if err != nil {
		return Rendered{}, err
	}
	if p.Subject = oneLine(subject); l.Test {
		p.Subject = "[test] " + p.Subject
	}
	p.Subject = cut(p.Subject, MaxSubject)
	out := Rendered{Subject: p.Subject}
	if out.Text, err = run(f.text, p); err != nil {
		return Rendered{}, err
	}
	out.Text = tidy(out.Text)
	out.HTML, err = run(f.html, p)
	return out, err
}

// source is the text of a template, and where it is from.
type source struct{ path, text string }

// read returns the sources of all templates by the names of their files.
func read(folder string) (map[string]source, error) {
	files := map[string]source{}
	for _, name := range fileNames() {
		text, err := embedded.ReadFile("templates/" + name)
		if err != nil {
			return nil, fault.New("mail.read", fault.CodeInternalError, "The template %s is not in the program.", name).Because(err)
		}
		files[name] = source{name, string(text)}
	}
	if folder == "" {
		return files, nil
	}
	return files, replace(files, folder)
}

// replace puts an operator's files in the place of those that are embedded. A file that looks like a
// template and is none is most likely misspelt, and would silently not be used.
func replace(files map[string]source, folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return errTemplate("The folder of mail templates cannot be read: %v", err)
	}
	for _, entry := range entries {
		name := entry.Name()
		if !slices.Contains([]string{subjectFile, textFile, htmlFile}, filepath.Ext(name)) {
			continue
		}
		path := filepath.Join(folder, name)
		if _, known := files[name]; !known {
			return errTemplate("%s takes the place of no mail template; there are %s.", path, strings.Join(fileNames(), ", "))
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return errTemplate("The mail template cannot be read: %v", err)
		}
		files[name] = source{path, string(text)}
	}
	return nil
}

// fileNames are the names of all templates' files, sorted.
func fileNames() []string {
	names := []string{layout + textFile, layout + htmlFile}
	for _, kind := range Kinds() {
		names = append(names, string(kind)+subjectFile, string(kind)+textFile, string(kind)+htmlFile)
	}
	slices.Sort(names)
	return names
}

// parse makes the form of a kind. What the layout defines, each template can use and define anew.
func parse(kind Kind, files map[string]source) (*form, error) {
	var err error
	f := &form{}
	if f.subject, err = parseText(files[string(kind)+subjectFile]); err != nil {
		return nil, err
	}
	if f.text, err = parseText(files[layout+textFile], files[string(kind)+textFile]); err != nil {
		return nil, err
	}
	f.html, err = parseHTML(files[layout+htmlFile], files[string(kind)+htmlFile])
	return f, err
}

// parseText makes a template of texts; the last of them is the one that runs.
func parseText(sources ...source) (program, error) {
	t := texttemplate.New("")
	for _, s := range sources {
		var err error
		if t, err = t.New(s.path).Parse(s.text); err != nil {
			return nil, errIn(err)
		}
	}
	return t, nil
}

// parseHTML is parseText for HTML, where what the letter says is escaped.
func parseHTML(sources ...source) (program, error) {
	t := htmltemplate.New("")
	for _, s := range sources {
		var err error
		if t, err = t.New(s.path).Parse(s.text); err != nil {
			return nil, errIn(err)
		}
	}
	return t, nil
}

// run executes a template, which has to write something.
func run(t program, p page) (string, error) {
	var out bytes.Buffer
	if err := t.Execute(&out, p); err != nil {
		return "", errIn(err)
	}
	if strings.TrimSpace(out.String()) == "" {
		return "", errTemplate("The mail template %s writes nothing.", t.Name())
	}
	return out.String(), nil
}

// tidy removes spaces at the ends of lines, and more than one empty line in a row: both are what is
// left of facts that a letter does not have.
func tidy(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\r\n")
		if line != "" || len(lines) > 0 && lines[len(lines)-1] != "" {
			lines = append(lines, line)
		}
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

// errIn is what is wrong with a template, in the words of its package, which begin with file and line.
func errIn(err error) error {
	text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "html/"), "template:")
	return errTemplate("A mail template is wrong: %s", strings.TrimSpace(text))
}

func errTemplate(format string, args ...any) error {
	return fault.New("mail.Load", fault.CodeInvalidConfig, format, args...)
}
