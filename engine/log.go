package engine

import (
	"log/slog"

	"github.com/seed42445051/scrip/fault"
)

// levelOf keeps what is the caller's doing out of the error log.
func levelOf(err error) slog.Level {
	if e := fault.As(err); e != nil && e.Kind().HTTPStatus() < 500 {
		return slog.LevelDebug
	}
	return slog.LevelError
}

func attrs(jobs []*job, cause error) []slog.Attr {
	return []slog.Attr{slog.Int("commands", len(jobs)), slog.String("wallet", jobs[0].id.String()), slog.Any("cause", cause)}
}
