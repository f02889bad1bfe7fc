package sqlite

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/seed42445051/scrip/fault"
)

// file is where the database is and how hard it is synced.
type file struct {
	path string
	sync string // value of PRAGMA synchronous
	busy int    // milliseconds to wait for another process's write lock
}

func parsePath(path string) (file, error) {
	const op = "sqlite.Open"
	name, query, _ := strings.Cut(path, "?")
	f := file{path: name, sync: "FULL", busy: busyMillis}
	if name == "" || strings.HasPrefix(name, ":") {
		return f, fault.New(op, fault.CodeInvalidConfig, "the database needs a file's path: several connections share it, so it cannot live in memory only")
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return f, fault.New(op, fault.CodeInvalidConfig, "what follows the ? in the database's path is not understood: only sync=full, normal or off may stand there").Because(err)
	}
	for key := range values {
		known := map[string]string{"full": "FULL", "normal": "NORMAL", "off": "OFF"}
		mode, ok := known[values.Get(key)]
		if key != "sync" || !ok {
			return f, fault.New(op, fault.CodeInvalidConfig, "the database's path has the option %q: only sync=full, normal or off is known", key)
		}
		f.sync = mode
	}
	return f, nil
}

// How the connections are set up. The numbers were measured with BenchmarkTransact.
const (
	busyMillis     = 5000
	pageSize       = 4096     // of a new file
	cacheKiB       = 32 << 10 // of pages, in each connection
	checkpointWAL  = 8000     // pages in the log before a commit folds it into the file
	mostWALBytes   = 64 << 20 // what the log is cut to after a burst
	settingPattern = "%s(%v)"
)

// forWriting is the data source name of the connection that writes.
func (f file) forWriting() string {
	return f.dsn(url.Values{"_txlock": {"immediate"}},
		"page_size", pageSize, // counts only until the file has content
		"journal_mode", "WAL",
		"synchronous", f.sync,
		"foreign_keys", "ON",
		"wal_autocheckpoint", checkpointWAL,
		"journal_size_limit", mostWALBytes,
	)
}

// forReading is that of those that cannot write.
func (f file) forReading() string {
	return f.dsn(url.Values{"mode": {"ro"}}, "query_only", "ON")
}

func (f file) dsn(values url.Values, settings ...any) string {
	settings = append([]any{"busy_timeout", f.busy, "trusted_schema", "OFF", "cache_size", -cacheKiB, "temp_store", "MEMORY"}, settings...)
	for i := 0; i < len(settings); i += 2 {
		values.Add("_pragma", fmt.Sprintf(settingPattern, settings[i], settings[i+1]))
	}
	// A path may have characters that mean something in a URI.
	return "file:" + (&url.URL{Path: f.path}).EscapedPath() + "?" + values.Encode()
}
