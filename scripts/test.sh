#!/usr/bin/env bash
# The whole suite, stage by stage. Its last line is "N passed, N failed": the
# sum of all stages, where a command counts as one. Run scripts/setup.sh first
# on a machine that may lack PostgreSQL (make test does).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Operations per property test in the stage of long tests; each test's usual amount when unset.
ops=${SCRIP_TEST_OPS:-}
unset SCRIP_TEST_OPS # the race stage keeps each test's usual amount

stages=(
  lint exec scripts/lint.sh
  + generated exec scripts/check-generated.sh
  + race -race -timeout 20m ./...
)

# Packages with tests whose amount of work can be set run once more, with more
# of it and without the race detector, which slows them by an order.
mapfile -t long < <(grep -rl --include='*_test.go' 'testenv\.Ops(' . | grep -v '^./internal/testenv/' |
  xargs -r -n1 dirname | sort -u)
if [ ${#long[@]} -gt 0 ]; then
  stages+=(+ long ${ops:+"SCRIP_TEST_OPS=$ops"} -timeout 20m "${long[@]}")
fi

go build -o bin/testsum ./internal/cmd/testsum
exec bin/testsum "${stages[@]}"
