#!/usr/bin/env bash
# The whole suite, stage by stage. Its last line is "N passed, N failed": the
# sum of all stages, where a command counts as one. Run scripts/setup.sh first
# on a machine that may lack PostgreSQL (make test does).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Operations per property test in the stage of long tests; each test's usual amount when unset.
ops=${SCRIP_TEST_OPS:-}
unset SCRIP_TEST_OPS # the race stage keeps each test's usual amount

# SQLite is C that was translated to Go. Its memory is none of Go's heap, so that the race detector
# learns nothing from its instructions, while watching them makes SQLite several times slower; as C it
# would not be watched either. The driver in Go above it is watched.
unwatched=('-gcflags=modernc.org/sqlite/lib=-race=false' '-gcflags=modernc.org/libc/...=-race=false')

# Packages that take longest come first: at the end there is nothing left to run beside them.
first=(./internal/acceptance ./internal/acceptance/lives ./internal/model ./store/postgres ./internal/acceptance/cycles)

# go vet is part of lint.sh.
stages=(
  lint exec scripts/lint.sh
  + generated exec scripts/check-generated.sh
  + race -race "${unwatched[@]}" -vet=off -timeout 20m "${first[@]}" ./...
)

# Packages with tests whose amount of work can be set run once more, with more
# of it and without the race detector, which slows them by an order.
mapfile -t long < <(grep -rl --include='*_test.go' 'testenv\.Ops(' . | grep -v '^./internal/testenv/' |
  xargs -r -n1 dirname | sort -u)
if [ ${#long[@]} -gt 0 ]; then
  calls() { printf '%s\n' "${long[@]}"; }
  mapfile -t ordered < <(printf '%s\n' "${first[@]}" | grep -Fxf <(calls); calls | grep -Fxvf <(printf '%s\n' "${first[@]}"))
  stages+=(+ long ${ops:+"SCRIP_TEST_OPS=$ops"} -timeout 20m "${ordered[@]}")
fi

go build -o bin/testsum ./internal/cmd/testsum
exec bin/testsum "${stages[@]}"
