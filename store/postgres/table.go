package postgres

import (
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/seed42445051/scrip/id"
)

// table says how rows of one wallet table travel: as one array a column, so that any number of
// rows is one statement. bucket and wallet head every table and are not named here.
type table struct {
	name      string
	numbers   []string // bigint
	absent    []string // those of the numbers of which zero is stored as NULL
	texts     []string // text
	documents []string // jsonb, sent as text
	blobs     []string // bytea
	flags     []string // boolean
}

// columns lists the table's columns in the order in which they travel.
func (t *table) columns() []string {
	all := []string{"bucket", "wallet"}
	for _, group := range [][]string{t.numbers, t.texts, t.documents, t.blobs, t.flags} {
		all = append(all, group...)
	}
	return all
}

// source is the arrays as rows d. The casts give the parameters their types in every exec mode.
func (t *table) source() string {
	var b strings.Builder
	b.WriteString("unnest($1::smallint[], $2::uuid[]")
	n := 2
	for _, group := range []struct {
		count int
		as    string
	}{
		{len(t.numbers), "bigint"}, {len(t.texts), "text"}, {len(t.documents), "text"}, {len(t.blobs), "bytea"}, {len(t.flags), "boolean"},
	} {
		for range group.count {
			n++
			b.WriteString(", $" + strconv.Itoa(n) + "::" + group.as + "[]")
		}
	}
	b.WriteString(") AS d (" + strings.Join(t.columns(), ", ") + ")")
	return b.String()
}

// value is a column of d as the table stores it.
func (t *table) value(column string) string {
	for _, name := range t.documents {
		if name == column {
			return "d." + column + "::jsonb"
		}
	}
	for _, name := range t.absent {
		if name == column {
			return "nullif(d." + column + ", 0)"
		}
	}
	return "d." + column
}

// insert writes new rows. One that exists fails the statement with a unique violation.
func (t *table) insert() statement {
	st := over(t.insertText())
	// Citus copies the rows of a plain insert to their node, and then reports whatever goes
	// wrong there as an internal error. One that returns something is executed.
	st.spread += " RETURNING 1"
	return st
}

// insertNew writes new rows that another process may have written first: one that exists, by
// the key and the condition of its index, makes the statement divide by zero. See update.
func (t *table) insertNew(key string) statement {
	return over(counted(t.insertText() + " ON CONFLICT " + key + " DO NOTHING"))
}

// counted makes a statement that changes rows divide by zero when they are fewer than it was
// given.
func counted(change string) string {
	return "WITH changed AS (" + change + " RETURNING 1) SELECT 1 / (count(*) = cardinality($2::uuid[]))::int FROM changed"
}

func (t *table) insertText() string {
	values := []string{"{d.bucket}"}
	for _, c := range t.columns()[1:] {
		values = append(values, t.value(c))
	}
	return "INSERT INTO " + t.name + " (" + strings.Join(t.columns(), ", ") + ") SELECT " +
		strings.Join(values, ", ") + " FROM " + t.source()
}

// upsert writes rows whether or not they exist; key names the columns after bucket and wallet
// that identify one.
func (t *table) upsert(key ...string) statement {
	sets := make([]string, 0, 16)
	for _, c := range t.columns()[2:] {
		sets = append(sets, c+" = EXCLUDED."+c)
	}
	conflict := append([]string{"bucket", "wallet"}, key...)
	return over(t.insertText() + " ON CONFLICT (" + strings.Join(conflict, ", ") + ") DO UPDATE SET " + strings.Join(sets, ", "))
}

// update changes rows that exist, found by key and the further conditions.
//
// A row that is not there must stop the transaction, but COMMIT travels in the same round trip
// and cannot wait for us to count. So the statement counts by itself and divides by zero when
// it changed fewer rows than it was given: the server then skips all that follows in the
// pipeline, COMMIT included.
func (t *table) update(key, conditions []string) statement {
	sets := make([]string, 0, 32)
	matches := []string{"t.bucket = {d.bucket}", "t.wallet = d.wallet"}
	for _, c := range key {
		matches = append(matches, "t."+c+" = d."+c)
	}
	for _, c := range t.columns()[2+len(key):] {
		sets = append(sets, c+" = "+t.value(c))
	}
	return over(counted("UPDATE " + t.name + " AS t SET " + strings.Join(sets, ", ") + " FROM " + t.source() +
		" WHERE " + strings.Join(append(matches, conditions...), " AND ")))
}

// rows are the values of some rows of a table, column by column.
type rows struct {
	keys
	numbers   [][]int64
	texts     [][]string
	documents [][]string
	blobs     [][][]byte
	flags     [][]bool
}

// rows makes room for n rows.
func (t *table) rows(n int) *rows {
	return &rows{
		keys: keys{make([]int16, 0, n), make([]pgtype.UUID, 0, n)}, numbers: room[int64](len(t.numbers), n), texts: room[string](len(t.texts), n),
		documents: room[string](len(t.documents), n), blobs: room[[]byte](len(t.blobs), n),
		flags: room[bool](len(t.flags), n),
	}
}

// room returns empty columns that share one allocation.
func room[T any](columns, n int) [][]T {
	all := make([]T, columns*n)
	out := make([][]T, columns)
	for i := range out {
		out[i] = all[i*n : i*n : (i+1)*n]
	}
	return out
}

// add begins a row; what follows fills it, each kind in the table's order.
func (r *rows) add(w id.Wallet) *rows { r.keys.add(w); return r }

func (r *rows) nums(values ...int64) *rows { fill(r.numbers, values); return r }

func (r *rows) strs(values ...string) *rows { fill(r.texts, values); return r }

func (r *rows) docs(values ...string) *rows { fill(r.documents, values); return r }

func (r *rows) bins(values ...[]byte) *rows { fill(r.blobs, values); return r }

func (r *rows) bits(values ...bool) *rows { fill(r.flags, values); return r }

func fill[T any](columns [][]T, values []T) {
	for i, v := range values {
		columns[i] = append(columns[i], v)
	}
}

// arrays are the columns behind bucket and wallet, in the order of source.
func (r *rows) arrays() []any {
	all := make([]any, 0, len(r.numbers)+len(r.texts)+len(r.documents)+len(r.blobs)+len(r.flags))
	all = appendAny(all, r.numbers)
	all = appendAny(all, r.texts)
	all = appendAny(all, r.documents)
	all = appendAny(all, r.blobs)
	return appendAny(all, r.flags)
}

func appendAny[T any](all []any, columns [][]T) []any {
	for _, c := range columns {
		all = append(all, c)
	}
	return all
}
