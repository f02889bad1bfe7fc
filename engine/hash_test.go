package engine

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/wallet"
)

// everyCommand is one of each: commandNames finds out which there are.
var everyCommand = []wallet.Command{
	&wallet.GiveCredits{}, &wallet.Deduct{}, &wallet.Track{}, &wallet.Reserve{}, &wallet.Commit{}, &wallet.Release{},
	&wallet.Extend{}, &wallet.RevokeGrant{}, &wallet.Freeze{}, &wallet.Adjust{}, &wallet.Reverse{}, &wallet.Subscribe{},
	&wallet.EndSubscription{}, &wallet.PauseSubscription{}, &wallet.EditSubscription{}, &wallet.CloseInvoice{}, &wallet.ResetOverage{}, &wallet.Redeem{}, &wallet.Register{}, &wallet.Ingest{}, &wallet.VoidUsage{}, &wallet.CorrectUsage{},
	&wallet.PlaceOrder{}, &wallet.OpenOrder{}, &wallet.CancelOrder{}, &wallet.AskRefund{}, &wallet.RetryOrder{}, &wallet.TellOrder{}, &wallet.SetTopUp{}, &wallet.ForgetPayer{}, &wallet.BilledOutside{},
}

// commandNames reads package wallet for the types that are commands: those that decide.
func commandNames(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../wallet/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || f.Name.Name != "decide" {
				continue
			}
			if star, ok := f.Recv.List[0].Type.(*ast.StarExpr); ok {
				names = append(names, star.X.(*ast.Ident).Name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// TestHashCoversEveryCommand finds that the table above is whole.
func TestHashCoversEveryCommand(t *testing.T) {
	var have []string
	for _, c := range everyCommand {
		have = append(have, reflect.TypeOf(c).Elem().Name())
	}
	slices.Sort(have)
	if want := commandNames(t); !slices.Equal(have, want) {
		t.Errorf("everyCommand has %v, and package wallet %v: add what is missing", have, want)
	}
}

// TestHashCoversEveryField changes one field of a command at a time, however deep, and finds that
// each makes another request.
func TestHashCoversEveryField(t *testing.T) {
	for _, c := range everyCommand {
		whole := reflect.New(reflect.TypeOf(c).Elem())
		seen := map[[32]byte]string{hashOf(t, whole): "nothing"}
		fields := 0
		vary(whole.Elem(), "", func(path string) {
			fields++
			h := hashOf(t, whole)
			if before, ok := seen[h]; ok {
				t.Errorf("%T hashes alike with %s and with %s", c, path, before)
			}
			seen[h] = path
		})
		if fields == 0 {
			t.Errorf("%T has no field that was changed", c)
		}
	}
}

func hashOf(t *testing.T, command reflect.Value) [32]byte {
	t.Helper()
	h, err := requestHash(Request{Command: command.Interface().(wallet.Command)})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// vary sets each exported field below v to something, one at a time, and visits each.
func vary(v reflect.Value, path string, visit func(path string)) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				vary(v.Field(i), path+"."+f.Name, visit)
			}
		}
		return
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		visit(path + " (there)")
		vary(v.Elem(), path, visit)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		visit(path + " (one)")
		vary(v.Index(0), path+"[0]", visit)
	case reflect.Map:
		varyMap(v, path, visit)
	case reflect.String:
		v.SetString("x")
		visit(path)
	case reflect.Bool:
		v.SetBool(true)
		visit(path)
	case reflect.Uint8:
		v.SetUint(3)
		visit(path)
	default:
		v.SetInt(7)
		visit(path)
	}
	v.SetZero()
}

func varyMap(v reflect.Value, path string, visit func(path string)) {
	pairs := []string{"a=b", "a=c", "b=a", "a=", "ab="}
	if v.Type().Elem().Kind() == reflect.Int64 {
		pairs = []string{"a=b", "b=a", "a=", "ab="} // numbers are as long as the text
	}
	for _, pair := range pairs {
		key, value, _ := strings.Cut(pair, "=")
		v.Set(reflect.MakeMap(v.Type()))
		if v.Type().Elem().Kind() == reflect.String {
			v.SetMapIndex(reflect.ValueOf(key), reflect.ValueOf(value))
			visit(path + " " + pair)
			continue
		}
		if v.Type().Elem().Kind() == reflect.Int64 {
			v.SetMapIndex(reflect.ValueOf(key), reflect.ValueOf(int64(len(value)+1)))
			visit(path + " " + key + strings.Repeat("'", len(value)))
			continue
		}
		for _, kind := range []catalog.ValueKind{catalog.TextValue, catalog.NumberValue} {
			v.SetMapIndex(reflect.ValueOf(key), reflect.ValueOf(catalog.Value{Kind: kind, Text: value}))
			visit(fmt.Sprint(path, " ", pair, " of kind ", kind))
		}
	}
}

// TestHashTellsCommandsApart gives commands of different kinds the same content, which must not
// make them the same request; a preview is none either.
func TestHashTellsCommandsApart(t *testing.T) {
	seen := map[[32]byte]string{}
	for _, c := range everyCommand {
		for _, preview := range []bool{false, true} {
			h, err := requestHash(Request{Command: c, Preview: preview})
			if err != nil {
				t.Fatal(err)
			}
			name := reflect.TypeOf(c).String()
			if before, ok := seen[h]; ok {
				t.Errorf("%s hashes as %s does", name, before)
			}
			seen[h] = name
		}
	}
}

// TestHashKnowsNoOrder gives metadata in every order of a map: the request is the same.
func TestHashKnowsNoOrder(t *testing.T) {
	request := func() Request {
		m := wallet.Metadata{}
		for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
			m[name] = name
		}
		return Request{Command: &wallet.Deduct{Charge: wallet.Charge{Metadata: m}}}
	}
	first, err := requestHash(request())
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if h, err := requestHash(request()); err != nil || h != first {
			t.Fatalf("another hash for the same request (%v)", err)
		}
	}
}
