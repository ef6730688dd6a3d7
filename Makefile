# Two commands are enough: `make demo` to see it, `make test` to check it. The rest is for those who work on it.
#
#   make demo DEMO_ARGS="--headless --answers 60"     the demo without a browser
#   make test TEST_ARGS="tests/oracle -x"             some of the tests
#   make test WORKERS=0                               one after another, for a debugger
#   make install PYTHON=python3.12                    another Python (3.11 or newer)

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test install install-test browser check lint format types bench docs clean faults

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check -qq
INSTALLED := $(VENV)/.installed
INSTALLED_TEST := $(VENV)/.installed-test
INSTALLED_DOCS := $(VENV)/.installed-docs
DEMO_ARGS ?=
TEST_ARGS ?=
WORKERS ?= logical

help:
	@sed -n 's/^#   /  /p' Makefile; echo "  others: install, check, lint, types, format, bench, faults, docs, clean"

demo: $(INSTALLED)
	@exec $(BIN)/pairwright demo $(DEMO_ARGS)

install: $(INSTALLED)

install-test: $(INSTALLED_TEST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Pairwright needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv"; exit 2; }

$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing into $(VENV): about five minutes the first time, most of it PyTorch."
	@$(PIP) --constraint constraints.txt --editable .
	@touch $@

$(INSTALLED_TEST): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing into $(VENV), test tools included: about five minutes the first time, most of it PyTorch."
	@$(PIP) --constraint constraints.txt --editable '.[test]'
	@touch $@ $(INSTALLED)

$(INSTALLED_DOCS): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing into $(VENV), what builds the documentation included."
	@$(PIP) --constraint constraints.txt --editable '.[docs]'
	@touch $@ $(INSTALLED)

browser:
	@if command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing Chromium for the browser tests."; \
	  export DEBIAN_FRONTEND=noninteractive; \
	  apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends chromium >/dev/null </dev/null; \
	else \
	  echo "Chromium is missing and only root can install it (apt-get install chromium): the browser tests are skipped."; \
	fi

test: $(INSTALLED_TEST) browser
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(TEST_ARGS)

check: lint types test

lint: $(INSTALLED_TEST)
	@$(BIN)/ruff format --check --quiet . || { echo "Some files are not formatted: run make format."; exit 1; }
	@$(BIN)/ruff check --quiet .

types: $(INSTALLED_TEST)
	@$(BIN)/mypy

format: $(INSTALLED_TEST)
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .

bench: $(INSTALLED)
	@for name in ingest embed answers asking; do echo "== $$name"; $(BIN)/python -m benchmarks.$$name </dev/null; done

docs: $(INSTALLED_DOCS)
	@$(BIN)/python -m benchmarks.negatives report
	@$(BIN)/python -m app.cli.reference > docs/.reference.partial && mv docs/.reference.partial docs/reference.md
	@$(BIN)/python -m app.cli.python_page > docs/.python.partial && mv docs/.python.partial docs/python.md
	@$(BIN)/python -m app.api.rest_page > docs/.rest.partial && mv docs/.rest.partial docs/rest.md
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "The pages are up to date; the site is build/site/index.html"

clean:
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

faults: $(INSTALLED_TEST)
	@$(BIN)/python -m benchmarks.reliability run --long </dev/null; $(BIN)/python -m benchmarks.reliability report
