package bench

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Durability says which database an address names and what its durability rests on.
func Durability(ctx context.Context, db string) (text string, err error) {
	if path, ok := strings.CutPrefix(db, "sqlite:"); ok {
		_, sync, _ := strings.Cut(path, "?sync=")
		if sync == "" {
			sync = "full"
		}
		return "SQLite, journal_mode=WAL, synchronous=" + sync, nil
	}
	conn, err := pgx.Connect(ctx, db)
	if err != nil {
		return "", err
	}
	err = conn.QueryRow(ctx, `SELECT 'PostgreSQL ' || current_setting('server_version') || ', ' ||
		string_agg(name || '=' || setting, ', ' ORDER BY name) FROM pg_settings
		WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method')`).Scan(&text)
	return text, errors.Join(err, conn.Close(ctx))
}

// processorName is empty where the system does not tell.
func processorName() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// loadAverage is how many processes wanted the processor in the last minute; empty where the
// system does not tell. Above zero before a run, others take part in it.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	average, _, _ := strings.Cut(string(text), " ")
	return average
}

// SyncTime is how long the disk under a folder takes to make a page durable: the median of some
// writes of 4 KiB, each followed by fsync.
func SyncTime(folder string) (median time.Duration, err error) {
	f, err := os.Create(filepath.Join(folder, "sync.probe"))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	page := make([]byte, 4096)
	times := make([]time.Duration, 101)
	for i := range times {
		begin := time.Now()
		if _, err := f.Write(page); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		times[i] = time.Since(begin)
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}
