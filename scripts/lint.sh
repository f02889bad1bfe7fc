#!/usr/bin/env bash
# Formatting, go vet and staticcheck. With --fix the formatting is repaired.
# The tools are built from tools/go.mod, which pins them, into bin/tools.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

go build -C tools -o ../bin/tools/ tool

# The work tree may belong to another user, as in a container.
git() { command git -c safe.directory='*' "$@"; }

# Files of templ are formatted by templ itself.
mapfile -t files < <(git ls-files -co --exclude-standard -- '*.go' | grep -v '_templ\.go$' |
  while IFS= read -r f; do if [ -f "$f" ]; then echo "$f"; fi; done)

if [ "${1:-}" = --fix ]; then
  bin/tools/gofumpt -w "${files[@]}"
  exit 0
fi

unformatted=$(bin/tools/gofumpt -l "${files[@]}")
if [ -n "$unformatted" ]; then
  echo "lint: not formatted (run: make fmt):" >&2
  echo "$unformatted" >&2
  exit 1
fi
go vet ./...
bin/tools/staticcheck ./...
