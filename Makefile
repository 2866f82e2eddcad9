# Everything here works from a clean clone with Python >= 3.11, git and make; the rest is installed into .venv.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
PYTEST_ARGS ?=

.PHONY: help setup setup-dev tools demo run test check format bench fuzz properties render docs clean

help:            ## what there is
	@grep -hE '^[a-z-]+: .*##|^[a-z-]+:  +##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(VENV)/.runtime: requirements.lock
	@scripts/make-venv $(PYTHON) $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(VENV)/.runtime       ## the virtual environment to run it
setup-dev: $(VENV)/.dev       ## ... and to develop it

tools:                        ## Debian and npm packages that tests use, where they may be installed
	@scripts/install-test-tools

demo: setup                   ## the main job, shown for real (ONCE=1 ends by itself)
	@$(BIN)/python -m gateway demo $(if $(ONCE),--once) $(ARGS)

run: setup                    ## a gateway from config/gateway.yaml; makes its keys and registries in ./state
	@PYTHONPATH=. $(BIN)/python scripts/run_local.py $(ARGS)

test: setup-dev tools         ## the whole suite
	@$(BIN)/python -m pytest -n 3 --dist worksteal $(PYTEST_ARGS)

check: lint types rules       ## format, lint, strict types, rooms

lint: setup-dev
	@$(BIN)/ruff format --check gateway tests bench scripts fuzz
	@$(BIN)/ruff check gateway tests bench scripts fuzz

types: setup-dev
	@$(BIN)/mypy

rules: setup-dev
	@$(BIN)/python -m pytest -q tests/rules

format: setup-dev             ## put the format right
	@$(BIN)/ruff format gateway tests bench scripts fuzz
	@$(BIN)/ruff check --fix gateway tests bench scripts fuzz

bench: setup-dev tools        ## throughput beside a bare Postfix, as ratios
	@$(BIN)/python -m bench $(ARGS)

$(VENV)/.fuzz: requirements-fuzz.lock $(VENV)/.dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-fuzz.lock
	@touch $@

fuzz: $(VENV)/.fuzz           ## coverage-guided fuzzing of every parser (SECONDS_EACH=60, TARGET=name)
	@$(BIN)/python -m fuzz $(if $(TARGET),--target $(TARGET)) --seconds $(or $(SECONDS_EACH),60) $(ARGS)

properties: setup-dev         ## property tests with examples that nobody has seen yet (ROUNDS=1); make test has the same ones every time
	@for round in $$(seq $(or $(ROUNDS),1)); do EXAMPLES=new $(BIN)/python -m pytest -q -n 3 -m hypothesis $(PYTEST_ARGS) || exit 1; done

render: setup-dev tools       ## pictures of corpus mail before and after, with the share of pixels that differ
	@$(BIN)/python -m bench.pictures $(ARGS)

docs: setup-dev               ## pages that are generated from the code
	@scripts/generate-docs

clean:           ## the virtual environment and caches
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info
