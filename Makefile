# Marquee's commands. `make help` lists them. Every one installs what it needs and is missing.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run run-kafka run-bi build test lint fmt fuzz faults bench clean install console

KILLS ?= 300
SEED ?= 1
FUZZ_SECONDS ?= 60
NAME ?=

help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: ## Install what is missing (Debian packages, Node packages, the ClickHouse engine)
	@tools/install

build: install ## Build marquee, marquee-store, the console and marquee.js
	@tools/build release

run: build ## Start everything on the embedded default, load the sample data, print the address
	@exec tools/run

run-kafka: build ## The same on a local Kafka broker, with collectors and loaders as processes of their own
	@exec tools/run-kafka

run-bi: build ## The same as run, with Superset and the campaigns' dashboard beside it
	@exec tools/run-bi

test: install ## Build, then run the tests that a change needs
	@tools/test

lint: install ## Check formatting, static analysis, types
	@tools/lint

fmt: ## Format the sources
	@tools/lint --fix

fuzz: install ## Run every fuzz target for FUZZ_SECONDS each
	@tools/fuzz $(FUZZ_SECONDS)

faults: build ## Kill Marquee KILLS times with SEED, on its own log and on Kafka, break it in other ways, then count
	@/usr/bin/python3 -m tests.faults.kill --kills $(KILLS) --seed $(SEED)
	@/usr/bin/python3 -m unittest -v tests.faults.test_faults
	@/usr/bin/python3 -m tests.faults.kafka --faults $(KILLS) --seed $(SEED)
	@/usr/bin/python3 -m tests.faults.feeds --kills 20 --seed $(SEED)
	@/usr/bin/python3 -m tests.faults.network --seed $(SEED)
	@/usr/bin/python3 -m unittest -v tests.faults.test_store tests.faults.test_roles

bench: build ## Run benchmark NAME (or all): collector, loader, latency, storage, kafka, decision; alone faults, soak, learning, analytics, billion
	@bench/run $(NAME)

clean: ## Remove build output (not var/, which holds data)
	@rm -rf build web/*/dist
