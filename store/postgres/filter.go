package postgres

import (
	"strconv"
	"strings"

	"github.com/seed42445051/scrip/id"
)

// filter is the condition of a list, made of the parts that were asked for. A condition that
// allows for what was not asked ("$1 = 0 OR ...") would keep the database from using an index.
type filter struct {
	conditions []string
	args       []any
}

// within begins a filter with the rows that a table has of one wallet.
func within(table string, w id.Wallet) *filter {
	f := &filter{}
	f.and(table+".bucket = ?::smallint", int16(w.Bucket()))
	f.and(table+".wallet = ?::uuid", uuid(w))
	return f
}

// and adds a condition; the question mark in it becomes the parameter.
func (f *filter) and(condition string, arg any) {
	f.conditions = append(f.conditions, strings.Replace(condition, "?", f.arg(arg), 1))
}

// arg adds a parameter and returns its name.
func (f *filter) arg(v any) string {
	f.args = append(f.args, v)
	return "$" + strconv.Itoa(len(f.args))
}

// offset leaves out the first rows of a statement that sql completed.
func (f *filter) offset(n int) string {
	if n <= 0 {
		return ""
	}
	return " OFFSET " + f.arg(int64(n)) + "::bigint"
}

// sql completes a statement that ends before WHERE, with the order and the limit.
func (f *filter) sql(head, order string, limit int) string {
	return head + " WHERE " + strings.Join(f.conditions, " AND ") + " ORDER BY " + order + " LIMIT " + f.arg(int64(limit)) + "::bigint"
}

// changing completes a statement that changes rows and ends before WHERE.
func (f *filter) changing(head string) string {
	return head + " WHERE " + strings.Join(f.conditions, " AND ")
}
