# The entry points. What they do is in scripts/; CI runs the same (.ci/run).
SHELL := /bin/bash
.DEFAULT_GOAL := help

# Compiled dependencies are shared by all clones of one user, and outlive a fresh clone.
export CARGO_TARGET_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/brokle/target

.PHONY: help run demo test test-full check engine web build services services-stop bench-ingest bench-login fuzz regen clean

help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Set everything up (the first time) and start Brokle on http://127.0.0.1:8080
	@exec scripts/run.sh $(ARGS)

demo: ## Send example traces to the Brokle that `make run` has started
	@exec scripts/demo.sh $(ARGS)

test: ## Set everything up and run all tests against real Postgres, Redis and ClickHouse engine
	@exec scripts/test.sh

test-full: ## The same with the long form of every suite
	@exec scripts/test.sh --full

check: ## What CI checks before the tests: format, lints, dependencies, spelling, web
	@exec scripts/check.sh

engine: ## Fetch the embedded ClickHouse engine (178 MB) into the user's cache
	@exec scripts/engine.sh

web: ## Build the web app into web/dist
	@exec scripts/web.sh build

build: ## Build the optimised binary
	@exec scripts/build.sh

services: ## Start Postgres, Redis and the engine for development, and print their addresses
	@exec scripts/dev-services.sh start

services-stop: ## Stop them
	@exec scripts/dev-services.sh stop

bench-ingest: ## Measure ingestion and write docs/benchmarks.md
	@exec scripts/bench-ingest.sh $(ARGS)

bench-login: ## Measure what a flood of wrong sign-ins does to other requests
	@exec scripts/bench-login.sh $(ARGS)

fuzz: ## Send a million hostile bodies of each encoding through decoding, conversion and pricing
	@exec nice cargo bench --locked --bench fuzz -- $(ARGS)

regen: ## Write the generated files anew: OpenAPI document, configuration reference, API types
	@exec scripts/regen.sh

clean: ## Remove what was built. Never data: brokle-data and .dev stay
	@exec scripts/clean.sh
