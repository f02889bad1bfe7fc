#!/usr/bin/env bash
# Installs what the tests need and this machine lacks, on Debian and as root;
# otherwise prints the command to run and fails. Running it again is cheap.
set -euo pipefail

missing=()

have_postgres() {
  compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || command -v postgres >/dev/null
}

command -v go >/dev/null || {
  echo "setup: Go is missing; install the version that go.mod names" >&2
  exit 1
}
have_postgres || missing+=(postgresql)
# The race detector links with a C compiler.
command -v "${CC:-gcc}" >/dev/null || missing+=(gcc libc6-dev)
command -v git >/dev/null || missing+=(git)
# The commands that the documents show are run as they stand.
command -v curl >/dev/null || missing+=(curl)
command -v jq >/dev/null || missing+=(jq)
# The vendors' own clients run against us.
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)

# Installs the npm packages of a folder, unless they are those of its lock file already.
npm_packages() {
  if cmp -s "$1/package-lock.json" "$1/node_modules/.installed"; then
    return
  fi
  echo "setup: npm ci in $1"
  (cd "$1" && npm ci)
  cp "$1/package-lock.json" "$1/node_modules/.installed"
}

# Builds the programs of tools/go.mod, stripe-mock among them, and installs what npm has; builds the SDK
# unless it is built of its sources as they are.
packages() {
  go build -C tools -o ../bin/tools/ tool
  npm_packages internal/acceptance/node
  npm_packages sdk/typescript
  if [ ! -f sdk/typescript/dist/built ] || [ -n "$(cd sdk/typescript &&
    find src package.json tsconfig.json tsconfig.cjs.json -newer dist/built)" ]; then
    echo "setup: npm run build in sdk/typescript"
    (cd sdk/typescript && npm run --silent build)
  fi
}

cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ ${#missing[@]} -eq 0 ]; then
  packages
  exit 0
fi

install="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "setup: the tests need: ${missing[*]}" >&2
  echo "setup: on Debian, as root: $install" >&2
  exit 1
fi
echo "setup: $install"
apt-get update
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
packages
