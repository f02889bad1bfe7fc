package serve

import (
	"math"
	"os"
	"runtime/debug"
)

// headroom is how much garbage a server lets pile up, at least, before it is collected.
const headroom = 64 << 20

// ballast is memory that is allocated and never touched, so that it takes up addresses only and
// no memory. To the collector it is part of the heap, whose size it doubles before it runs: a
// server whose live heap is some 10 MB would otherwise be collected every few milliseconds under
// load. Unlike a higher GOGC it does not multiply what a large cache needs.
//
// Who sets GOGC or GOMEMLIMIT has decided otherwise, and gets none.
func ballast() []byte {
	if os.Getenv("GOGC") != "" || debug.SetMemoryLimit(-1) != math.MaxInt64 {
		return nil
	}
	return make([]byte, headroom)
}
