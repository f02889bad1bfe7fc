# The commands of this repository. Each target is one script or one go command,
# so that what runs here can be run by hand as well.

SHELL := /bin/bash
GO ?= go
# Version control stamping needs a work tree that git trusts; builds in
# containers and mounted checkouts often have none.
GOFLAGS ?= -buildvcs=false
export GOFLAGS

.DEFAULT_GOAL := build
.PHONY: build run bench test setup lint fmt generate check-generated clean

build: ## bin/scrip
	$(GO) build -trimpath -ldflags='-s -w' -o bin/scrip ./cmd/scrip

run: build ## a server on embedded defaults
	bin/scrip dev

bench: build ## load on this machine, beside rivals; BENCH_ARGS are passed on
	$(GO) build -o bin/bench ./internal/bench/full
	bin/bench -scrip bin/scrip $(BENCH_ARGS)

setup: ## what the tests need on this machine
	scripts/setup.sh

test: setup ## everything that CI runs
	scripts/test.sh

lint: ## formatting, go vet, staticcheck
	scripts/lint.sh

fmt: ## format every Go file
	scripts/lint.sh --fix

generate: ## every generated file
	$(GO) generate ./...

check-generated: ## fail when a generated file is not what its source gives
	scripts/check-generated.sh

clean:
	rm -rf bin coverage
