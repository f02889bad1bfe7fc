package apply

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
)

// File is a catalog file: everything in it has the names and the meaning that it has in the
// API. What a credit, meter, pack, plan or code leaves out has its default, also when it had another value
// before.
type File struct {
	Credits []Credit `json:"credits"`
	Meters  []Meter  `json:"meters"`
	Packs   []Pack   `json:"packs"`
	Plans   []Plan   `json:"plans"`
	Codes   []Code   `json:"codes"`
	Billing *Billing `json:"billing"` // read as credits and packs

	name string
	tree *ast.File
}

// Credit is a credit of the file, found by its name.
type Credit struct {
	v1.CreateCredit `yaml:",inline"`
	Archived        bool   `json:"archived"` // nothing new can be granted; what was granted stays
	at              string // where in the file it is
}

// Meter is a meter of the file, found by its name.
type Meter struct {
	v1.CreateMeter `yaml:",inline"`
	Archived       bool `json:"archived"` // it counts no more; what it counted stays
}

// Pack is a pack of the file, found by its id, or by its name where it has none.
type Pack struct {
	v1.CreatePack `yaml:",inline"`
	Archived      bool   `json:"archived"` // off sale; what was granted stays
	at            string // where in the file it is
}

// Plan is a plan of the file, found by its id, or by its name where it has none.
type Plan struct {
	v1.CreatePlan `yaml:",inline"`
	Archived      bool `json:"archived"` // off sale; who has it keeps it
}

// Code is a code of the file, found by its text.
type Code struct {
	v1.CreateCodes `yaml:",inline"`
	Archived       bool `json:"archived"` // nobody can redeem it; what it gave stays
}

// Read reads a file. name is what errors call it; they are all invalid_config, and say where
// in the file something is wrong.
func Read(name string, text []byte) (f *File, err error) {
	f = &File{name: name}
	defer func() {
		// The reader of YAML panics on some texts that are not.
		if cause := recover(); cause != nil {
			f, err = nil, f.wrong(nil, "this cannot be read as YAML (%v)", cause)
		}
	}()
	if f.tree, err = parser.ParseBytes(text, 0); err != nil {
		return nil, f.misread(err)
	}
	if len(f.tree.Docs) != 1 || f.tree.Docs[0].Body == nil {
		return nil, f.wrong(nil, "a catalog file is one YAML document with credits, meters, packs, plans and codes")
	}
	if err := f.checkFields(f.tree.Docs[0].Body, reflect.TypeFor[File]()); err != nil {
		return nil, err
	}
	if err := f.checkInstants(); err != nil {
		return nil, err
	}
	decoder := yaml.NewDecoder(
		bytes.NewReader(text), yaml.Strict(),
		yaml.CustomUnmarshaler(decimal), yaml.CustomUnmarshaler(drawOrder), yaml.CustomUnmarshaler(filter),
		yaml.CustomUnmarshaler(instant),
	)
	if err := decoder.Decode(f); err != nil && !errors.Is(err, io.EOF) {
		return nil, f.misread(err)
	}
	if err := f.checkNumbers(); err != nil {
		return nil, err
	}
	for i := range f.Credits {
		f.Credits[i].at = fmt.Sprintf("credits[%d]", i)
	}
	for i := range f.Packs {
		f.Packs[i].at = fmt.Sprintf("packs[%d]", i)
	}
	if err := f.expand(); err != nil {
		return nil, err
	}
	return f, nil
}

// decimal takes a number as it is written: on the way through a float it could change.
func decimal(d *money.Decimal, text []byte) error {
	var quoted string
	s := strings.TrimSpace(string(text))
	if strings.HasPrefix(s, `"`) || strings.HasPrefix(s, "'") {
		if err := yaml.Unmarshal(text, &quoted); err != nil {
			return err
		}
		s = quoted
	}
	*d = money.Decimal(s)
	return nil
}

// drawOrder takes a preset's name or a list.
func drawOrder(d *v1.DrawOrder, text []byte) error {
	var preset string
	if yaml.Unmarshal(text, &preset) == nil {
		*d = v1.DrawOrder{preset}
		return nil
	}
	return yaml.Unmarshal(text, (*[]string)(d))
}

// filter takes a filter as the API does.
func filter(f *v1.Filter, text []byte) error {
	asJSON, err := yaml.YAMLToJSON(text)
	if err != nil {
		return err
	}
	return json.Unmarshal(asJSON, f)
}

// instant takes a time as the API does, with or without quotes.
func instant(at *clock.Instant, text []byte) error {
	read, err := clock.Parse(strings.Trim(strings.TrimSpace(string(text)), `"'`))
	*at = read
	return err
}

// decimals are the fields that take numbers with decimals.
var decimals = map[string]bool{
	"amount": true, "limit": true, "price_per_unit": true, "units_per_credit": true, "free_threshold": true,
	"low_balance_threshold": true, "quota": true, "trial_amount": true, "price_per_credit": true, "signup_bonus": true,
	"pricePerCredit": true, "initialBonusCredits": true, "creditsAmount": true,
}

// checkNumbers refuses a fraction where a whole number or text belongs: the decoder would cut
// it off without a word.
func (f *File) checkNumbers() error {
	var found *ast.FloatNode
	ast.Walk(visitor(func(n ast.Node) bool {
		pair, ok := n.(*ast.MappingValueNode)
		if !ok || found != nil {
			return found == nil
		}
		float, ok := pair.Value.(*ast.FloatNode)
		if ok && !decimals[pair.Key.String()] && !strings.Contains(pair.GetPath(), ".filter.") {
			found = float
		}
		return found == nil
	}), f.tree.Docs[0].Body)
	if found == nil {
		return nil
	}
	return f.wrong(found, "%s is not a whole number; text that looks like a number needs quotes", strings.TrimSpace(found.String()))
}

// checkInstants refuses what is no time, while it is known where it stands.
func (f *File) checkInstants() (err error) {
	ast.Walk(visitor(func(n ast.Node) bool {
		pair, ok := n.(*ast.MappingValueNode)
		if !ok || err != nil || !instants[pair.Key.String()] || strings.Contains(pair.GetPath(), ".metadata.") {
			return err == nil
		}
		if _, wrong := clock.Parse(pair.Value.GetToken().Value); wrong != nil {
			err = f.wrong(pair.Value, "%s is a time such as 2026-01-31T09:30:00Z", pair.Key.String())
		}
		return err == nil
	}), f.tree.Docs[0].Body)
	return err
}

// instants are the fields that take times.
var instants = map[string]bool{"valid_from": true, "valid_until": true}

// visitor calls a function for each node, and goes deeper where it says so.
type visitor func(ast.Node) bool

// Visit makes a visitor of the function.
func (v visitor) Visit(n ast.Node) ast.Visitor {
	if v(n) {
		return v
	}
	return nil
}

// wrong is an error about a place in the file, or about all of it when at is nil.
func (f *File) wrong(at ast.Node, format string, args ...any) *fault.Error {
	where := f.name
	if at != nil {
		where += ":" + strconv.Itoa(at.GetToken().Position.Line)
	}
	return fault.New("apply.Read", fault.CodeInvalidConfig, "%s: %s", where, fmt.Sprintf(format, args...))
}

// misread says what the YAML reader did not like, without its drawing of the source.
func (f *File) misread(err error) *fault.Error {
	y, ok := errors.AsType[yaml.Error](err)
	if !ok {
		return f.wrong(nil, "%v", err)
	}
	where := f.name
	if token := y.GetToken(); token != nil {
		where += ":" + strconv.Itoa(token.Position.Line)
	}
	message := y.GetMessage()
	if t, ok := errors.AsType[*yaml.TypeError](err); ok {
		message = "this must be " + described(t.DstType)
	}
	if _, ok := errors.AsType[*yaml.OverflowError](err); ok {
		message = "this number is too large"
	}
	return fault.New("apply.Read", fault.CodeInvalidConfig, "%s: %s", where, message)
}

// described names a type as a reader of the file knows it.
func described(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "a mapping of names to values"
	case reflect.Pointer:
		return described(t.Elem())
	}
	return "a whole number"
}

// at finds the place of a field, such as credits[0].scope; the nearest one around it that is in
// the file, when the field is not.
func (f *File) at(path string) ast.Node {
	for path != "" {
		p, err := yaml.PathString("$." + path)
		if err != nil {
			return nil
		}
		if n, err := p.FilterFile(f.tree); err == nil && n != nil {
			return n
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return nil
}

// refused puts the place in the file before what is wrong with an item of it. path is the
// item's; the fault's field is a path inside it, with dots.
func (f *File) refused(path string, err error) error {
	e := fault.As(err)
	inside := ""
	for part := range strings.SplitSeq(e.Field, ".") {
		if _, err := strconv.Atoi(part); err == nil {
			inside += "[" + part + "]"
		} else if part != "" {
			inside += "." + part
		}
	}
	message := e.Message
	if e.Field != "" {
		message = strings.TrimPrefix(inside, ".") + ": " + message
	}
	c := f.wrong(f.at(path+inside), "%s", message)
	return c.Because(e.Err)
}
