package postgres

import (
	"math/bits"

	"github.com/jackc/pgx/v5"
)

// How often a connection forgets its plans: when it has run 8 transactions, 16, 32 and so on,
// and from replanEvery on after as many each.
const (
	replanFirst = 8
	replanEvery = 128
)

// transactionsRun is where a connection counts the transactions that it has run.
const transactionsRun = "scrip.transactions"

// forgetPlans has the statements that follow planned anew, when it is time to.
//
// A connection keeps the plan that it made of a statement when it was first used. One that was
// made while a table was nearly empty reads all that the table has of a bucket, and the server
// notices only when it next analyzes the table, which may be a minute and a hundred thousand
// rows later. Made anew, a plan goes by the size that the table has now.
func (s *script) forgetPlans(conn *pgx.Conn) {
	data := conn.PgConn().CustomData()
	n, _ := data[transactionsRun].(int)
	n++
	data[transactionsRun] = n
	if n%replanEvery == 0 || n < replanEvery && n >= replanFirst && bits.OnesCount(uint(n)) == 1 {
		s.exec("DISCARD PLANS")
	}
}
