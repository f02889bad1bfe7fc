package rules

import (
	"slices"
	"strconv"
	"strings"
)

// The rows of the code's drawing. Data flows one way: a package may import those
// of its list, and nothing points up.
var (
	bottom   = []string{"catalog", "money", "clock", "id", "fault"}
	rules    = list(bottom, "wallet")
	rows     = list(rules, "store")
	stores   = []string{"store/sqlite", "store/postgres"}
	core     = list(rows, "engine", "v1", "wording", "caller")
	services = []string{"accounts", "credits", "billing", "payments", "metering", "notify", "letters", "services"}
	present  = slices.Concat(rules, services, []string{"v1", "wording"})
	faces    = []string{"api", "compat/*", "web"}
)

func list(base []string, more ...string) []string { return slices.Concat(base, more) }

// layer is what one package may import of ours, and why.
type layer struct {
	pkg string // a folder; with /* at its end, any folder below
	may []string
	why string
}

// layers is the table of all packages.
var layers = []layer{
	{"fault", bottom, "everything fails with it, so it knows nothing above"},
	{"clock", bottom, "time is an argument to all others"},
	{"money", bottom, "amounts and ratios are values"},
	{"id", bottom, "ids are values"},
	{"catalog", bottom, "definitions are values; the rules read them"},
	{"wallet", bottom, "the rules are pure and can be checked in one sitting"},
	{"store", rules, "the interface to the rows, in terms of the rules' types"},
	{"store/storetest", rows, "one conformance suite, ignorant of the stores it tests"},
	{"store/sqlite", rows, "a store; it never knows the other"},
	{"store/postgres", rows, "a store; it never knows the other"},
	{"engine", rows, "the only writer of wallets, over any store"},
	{"audit", rows, "proves the books of any store from its rows alone"},
	{"accounts", core, "a service decides what happens and when, in the words of v1; it does not call its neighbours"},
	{"credits", core, "a service, as accounts"},
	{"billing", core, "a service, as accounts"},
	{"payments", list(core, "payments/provider"), "a service, as accounts; it knows no provider by name"},
	{"payments/provider", rules, "the words between the service and the providers of payments"},
	{"payments/stripe", list(rules, "payments/provider"), "a provider; it never knows the other, nor what its news lead to"},
	{"payments/sandbox", list(rows, "payments/provider"), "a provider; it keeps what it knows in the store"},
	{"payments/stripefake", []string{"clock"}, "stands in for a service of others, so that it knows nothing of ours but the time"},
	{"metering", core, "a service, as accounts"},
	{"notify", core, "a service, as accounts"},
	{"letters", list(core, "notify", "mail"), "makes letters of the events that notify hands over"},
	{"services", slices.Concat(core, services), "all services as one, for those who present them; it decides nothing"},
	{"caller", list(rows, "engine", "v1"), "what every service does with a caller, in the engine's terms"},
	{"v1", bottom, "the vocabulary of services and clients: types only, so that a client can import it alone"},
	{"mail", bottom, "writes a letter and hands it over; whom to tell what, and when, is decided above"},
	{"wording", list(rules, "v1"), "what several services say of the same value, in the words of v1"},
	{"client", list(bottom, "v1"), "runs in the caller's program, without the engine"},
	{"api", present, "translates; what it lacks is missing from the services"},
	{"compat/*", present, "translates; holds no state and no rules"},
	{"web", present, "presents; what it lacks is missing from the services"},
	{".", slices.Concat(core, stores, services, faces, []string{"audit", "mail", "payments/provider", "payments/sandbox", "payments/stripe"}), "puts everything together for a Go program"},
	{"apply", list(bottom, "v1", "credits", "metering"), "compares a file, read as the service reads it, with what is defined, and calls operations, in process or over HTTP"},
	{"cmd/scrip", list(bottom, ".", "v1", "client", "apply", "payments/stripe", "internal/bench", "internal/dev", "internal/lookup", "internal/serve"), "only parses flags"},
	{"internal/bench", list(bottom, ".", "v1"), "loads the whole from outside, as anyone could; it is in the binary"},
	{"internal/bench/*", slices.Concat(core, stores, []string{".", "internal/bench", "internal/pgtest", "internal/serve"}), "compares the whole with its parts and its rivals; it is not in the binary"},
	{"internal/cmd/gendocs", []string{"fault"}, "renders tables of the code as pages"},
	{"internal/cmd/genopenapi", []string{"api"}, "writes what package api describes"},
	{"internal/cmd/testsum", nil, "runs before anything else is known to work"},
	{"internal/dev", []string{"fault", "v1", "."}, "prepares a database through the library, as anyone could"},
	{"internal/lookup", list(rows, stores...), "finds in the rows what the library would make instead"},
	{"internal/model", rules, "a second statement of the rules; it shares with wallet only the words"},
	{"internal/pgtest", nil, "knows PostgreSQL, not what is stored in it"},
	{"internal/rules", nil, "reads the code and runs none of it"},
	{"internal/selltest", slices.Concat(core, services, []string{"mail", "payments/provider", "payments/sandbox", "store/sqlite"}), "wires what sells, for tests of packages that others wire"},
	{"internal/serve", []string{"fault", "clock", "engine", "notify", "store"}, "serves any handler and shows the counters of the engine and of webhooks"},
	{"internal/testenv", nil, "reads settings"},
}

// impure are packages that the rules of the wallet must do without: they have
// no I/O, no context, no clock and no goroutines.
var impure = []string{
	"context", "crypto/rand", "database/sql", "io", "log", "log/slog", "math/rand",
	"math/rand/v2", "net", "net/http", "os", "sync", "sync/atomic",
}

// Imports checks the direction of imports. Tests are exempt: to test a package
// with a real store or server below or beside it is not to depend on it.
func Imports(sources []*Source) []Finding { return importsBy(layers, sources) }

func importsBy(table []layer, sources []*Source) []Finding {
	var findings []Finding
	for _, s := range sources {
		if !s.Test {
			findings = append(findings, importsOf(table, s)...)
		}
	}
	return findings
}

func importsOf(table []layer, s *Source) []Finding {
	row := layerOf(table, s.Dir)
	if row == nil {
		return []Finding{{s.Path, 0, "package " + s.Dir +
			" is not in the table of layers: add a row to internal/rules/imports.go that says what it may import and why"}}
	}
	var findings []Finding
	for _, spec := range s.AST.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil { // never: the file has been parsed
			continue
		}
		if s.Dir == "wallet" && slices.Contains(impure, imported) {
			findings = append(findings, s.at(spec, "wallet imports %s, but %s", imported, row.why))
		}
		target, ours := strings.CutPrefix(imported+"/", module+"/")
		if !ours {
			continue
		}
		target = strings.TrimSuffix(target, "/")
		if target == "" {
			target = "."
		}
		// A row with a pattern stands for trees: their roots may use what is inside.
		inside := strings.HasPrefix(target, s.Dir+"/") && layerOf(table, target) == row
		if !inside && !slices.ContainsFunc(row.may, func(p string) bool { return matches(p, target) }) {
			findings = append(findings, s.at(spec, "%s imports %s; it may not: %s (table in internal/rules/imports.go)",
				s.Dir, target, row.why))
		}
	}
	return findings
}

// layerOf finds the row of a package.
func layerOf(table []layer, dir string) *layer {
	i := slices.IndexFunc(table, func(l layer) bool { return matches(l.pkg, dir) })
	if i < 0 {
		return nil
	}
	return &table[i]
}

// matches tells whether a folder is meant by a pattern of the table.
func matches(pattern, dir string) bool {
	if folder, ok := strings.CutSuffix(pattern, "/*"); ok {
		return strings.HasPrefix(dir, folder+"/")
	}
	return pattern == dir
}
