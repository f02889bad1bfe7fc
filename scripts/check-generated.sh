#!/usr/bin/env bash
# Regenerates every generated file and fails when one changed. It compares the
# work tree before and after, not with the last commit, so that work in
# progress elsewhere does not count as a difference.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The work tree may belong to another user, as in a container.
git() { command git -c safe.directory='*' "$@"; }

# Prints a hash and a name for every file that is not ignored.
snapshot() {
  local files
  mapfile -t files < <(git ls-files -co --exclude-standard | sort -u |
    while IFS= read -r f; do if [ -f "$f" ]; then echo "$f"; fi; done)
  paste -d ' ' <(printf '%s\n' "${files[@]}" | git hash-object --stdin-paths) \
    <(printf '%s\n' "${files[@]}")
}

before=$(mktemp)
after=$(mktemp)
trap 'rm -f "$before" "$after"' EXIT
snapshot >"$before"
go generate ./...
snapshot >"$after"
if ! diff "$before" "$after"; then
  echo "check-generated: these files are not what their sources give; they have" >&2
  echo "been regenerated: look at them and commit them" >&2
  exit 1
fi
