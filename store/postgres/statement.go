package postgres

import (
	"context"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/seed42445051/scrip/id"
)

// statement reads or writes rows of any number of wallets, which travel as arrays. Its texts are
// for wallets of several buckets; for those of one, where the bucket is a parameter of its own;
// and for one bucket of tables that are distributed by it, which shows the database that a
// single node is concerned.
type statement struct{ many, one, spread string }

// over makes a statement from its text for many buckets. That takes its rows from
// unnest($1::smallint[], $2::uuid[], ...) AS d (bucket, wallet, ...), and wherever a bucket
// stands in braces, the text for one bucket has the parameter instead.
//
// The arrays are unnested side by side in a select list, where the database takes element after element.
// In FROM it would first put every array aside by itself, which costs more than writing the rows does.
func over(text string) statement {
	many := arrays.ReplaceAllStringFunc(text, sideBySide)
	const buckets = "unnest($1::smallint[]) AS bucket, "
	if !strings.Contains(many, buckets) {
		panic("postgres: a statement over wallets does not begin its rows with bucket and wallet: " + text)
	}
	one := strings.Replace(many, buckets, "", 1)
	one = bucketColumn.ReplaceAllString(one, "$$1::smallint")
	return statement{many: bucketColumn.ReplaceAllString(many, "$1"), one: one, spread: one}
}

// sideBySide turns unnest(array, ...) AS d (column, ...) into a list of the columns.
func sideBySide(from string) string {
	found := arrays.FindStringSubmatch(from)
	all, columns := strings.Split(found[1], ", "), strings.Split(found[2], ", ")
	if len(all) != len(columns) {
		panic("postgres: there are not as many columns as arrays: " + from)
	}
	for i, array := range all {
		columns[i] = "unnest(" + array + ") AS " + columns[i]
	}
	return "(SELECT " + strings.Join(columns, ", ") + ") AS d"
}

var arrays = regexp.MustCompile(`unnest\(([^()]+)\)\s+AS d \(([^()]+)\)`)

var bucketColumn = regexp.MustCompile(`\{([a-z]+\.bucket)\}`)

// keys are the wallets that a statement is about, in order of their ids.
type keys struct {
	buckets []int16
	wallets pgtype.FlatArray[pgtype.UUID] // a slice that pgx encodes without reflection
}

func (k *keys) add(w id.Wallet) {
	k.buckets = append(k.buckets, int16(w.Bucket()))
	k.wallets = append(k.wallets, uuid(w))
}

func uuid(w id.Wallet) pgtype.UUID { return pgtype.UUID{Bytes: w, Valid: true} }

// over queues a statement about wallets, with further arrays parallel to them. It queues
// nothing where there are no wallets. Distributed tables get a statement for each bucket.
func (s *script) over(p part, read func(pgx.Rows) error, st statement, k *keys, arrays ...any) {
	n := len(k.buckets)
	if n == 0 {
		return
	}
	single := k.buckets[0] == k.buckets[n-1] && !mixed(k.buckets)
	if !single && !s.distributed {
		s.add(p, read, st.many, append([]any{k.buckets, k.wallets}, arrays...)...)
		return
	}
	for from := 0; from < n; {
		to := from + 1
		for to < n && k.buckets[to] == k.buckets[from] {
			to++
		}
		args := []any{k.buckets[from], k.wallets[from:to]}
		for _, a := range arrays {
			args = append(args, cut(a, from, to))
		}
		if s.distributed {
			s.add(p, read, st.spread, args...)
		} else {
			s.add(p, read, st.one, args...)
		}
		from = to
	}
}

// mixed reports whether the buckets are not all the same.
func mixed(buckets []int16) bool {
	for _, b := range buckets {
		if b != buckets[0] {
			return true
		}
	}
	return false
}

// cut takes a part of an array, whatever its elements.
func cut(array any, from, to int) any {
	switch a := array.(type) {
	case []int64:
		return a[from:to]
	case []string:
		return a[from:to]
	case [][]byte:
		return a[from:to]
	case []bool:
		return a[from:to]
	}
	panic("postgres: an array of a type that no statement takes")
}

// layout is how the wallet tables lie.
type layout int32

const (
	unknown     layout = iota
	plain              // on one server
	distributed        // by bucket, over several
)

// Statements that tell the layout. The catalogue of Citus exists only where it is installed.
const (
	askCitus  = "SELECT to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL"
	askLayout = "SELECT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'wallets'::regclass AND partmethod = 'h')"
)

// distributed reports whether the tables are distributed. It asks the database once.
func (s *Store) distributed(ctx context.Context, conn *pgx.Conn) (bool, error) {
	if l := layout(s.layout.Load()); l != unknown {
		return l == distributed, nil
	}
	var yes bool
	err := conn.QueryRow(ctx, askCitus).Scan(&yes)
	if err == nil && yes {
		err = conn.QueryRow(ctx, askLayout).Scan(&yes)
	}
	if err != nil {
		return false, err
	}
	found := plain
	if yes {
		found = distributed
	}
	s.layout.Store(int32(found))
	return yes, nil
}
