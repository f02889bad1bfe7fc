package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/seed42445051/scrip/fault"
)

// script is statements that travel together: one round trip, executed in order, and none after
// the first that fails.
type script struct {
	distributed bool // the tables are, and a statement can lock or change one bucket only
	steps       []step
	seen        int // rows that were read, over all runs
}

// step is one statement and what happens with its result.
type step struct {
	part part
	sql  string
	args []any
	read func(pgx.Rows) error // called for each row; nil ignores rows
}

// add queues a statement. read is called with each row of its result.
func (s *script) add(p part, read func(pgx.Rows) error, sql string, args ...any) {
	s.steps = append(s.steps, step{p, sql, args, read})
}

// exec queues a statement whose rows, if any, are of no interest.
func (s *script) exec(sql string, args ...any) { s.add(partOther, nil, sql, args...) }

// run sends everything and reads all results. Its error is a *failure.
func (s *script) run(ctx context.Context, conn *pgx.Conn) error {
	if len(s.steps) == 0 {
		return nil
	}
	var batch pgx.Batch
	for i := range s.steps {
		batch.Queue(s.steps[i].sql, s.steps[i].args...)
	}
	results := conn.SendBatch(ctx, &batch)
	for i := range s.steps {
		if err := s.take(&s.steps[i], results); err != nil {
			_ = results.Close() // it repeats the error, which is being returned
			return &failure{s.steps[i].part, err}
		}
	}
	if err := results.Close(); err != nil {
		return &failure{partOther, err}
	}
	return nil
}

func (s *script) take(step *step, results pgx.BatchResults) error {
	if step.read == nil {
		_, err := results.Exec()
		return err
	}
	rows, err := results.Query()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		s.seen++
		if err := step.read(rows); err != nil {
			// The connection is in order; the row is not, and will not be next time.
			return fault.New("postgres.scan", fault.CodeInternalError, "a stored row cannot be read").Because(err)
		}
	}
	rows.Close()
	return rows.Err()
}
