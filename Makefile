# From a clean checkout: needs Python 3.10 or newer (the trainers 3.11), make, git and a package index, nothing else.
# Everything is installed into VENV once, and again only when setup.cfg or pyproject.toml changes.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin

WORKERS ?= 2
PYTEST ?= $(BIN)/python -m pytest
PYTEST_ARGS ?=
RULE_PAGES ?= docs/rules
WRITE_RULE_PAGES ?= $(BIN)/mlperf rules docs
SHOWING_PAGES ?= README.md docs/analysis.md docs/asking_rules.md docs/checking.md docs/comparing.md docs/converting.md docs/exports.md docs/scoring.md docs/store.md docs/submissions.md docs/system_descriptions.md docs/watch.md
NIGHTLY_EXAMPLES ?= 100000
FUZZ_MINUTES ?= 1
FUZZ_SEED ?= 1
PEER_VENV ?= .venv-peer
TORCH_VENV ?= .venv-torch
TORCH ?= torch
LOWEST_VENV ?= .venv-lowest
RELEASE_VENV ?= .venv-release
PYTHON_VERSIONS ?= 3.10 3.11 3.12 3.13 3.14
BASE_TESTS ?= tests/unit tests/rules tests/properties tests/fuzz tests/contracts/test_contract_dependencies.py \
	$(wildcard tests/end_to_end/test_mllog_*.py) $(patsubst %,tests/end_to_end/test_%.py,cli_command installation \
	special_files standard_streams)
MLPERF_PEER_PYTHON ?= $(wildcard $(PEER_VENV)/bin/python)

BASE := $(VENV)/.installed-base
FULL := $(VENV)/.installed-dev
TESTED := $(VENV)/.installed-tests
SITE := $(VENV)/.installed-site

.DEFAULT_GOAL := help
.PHONY: help demo release test test-browser test-slow test-torch test-lowest test-pythons test-base check lint format-check types contracts pages-fresh logs-fresh format docs docs-site docs-look bench measure-mini suite suite-references profile peer fuzz nightly clean

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{printf "  %-14s %s\n", $$1, $$2}'

demo: $(BASE)  ## judge the logs in examples/; then train, check, score, test and draw one benchmark
	$(BIN)/python examples/demo.py
	$(BIN)/python examples/demo_training.py

# In the order of the folders: the many short files of tests/unit come last, so the workers end together.
test: $(FULL)  ## all tests
	$(PYTEST) -n $(WORKERS) --dist loadfile --no-loadscope-reorder -q -m "not slow and not browser" $(PYTEST_ARGS)

test-browser: $(FULL)  ## the page of reports and `mlperf view` in a real Chromium; skipped where there is none
	$(PYTEST) -n $(WORKERS) --dist loadfile -q tests/browser $(PYTEST_ARGS)

test-slow: $(FULL)  ## the trainers at full size, two steps each; takes a few minutes
	$(PYTEST) -n $(WORKERS) -q -m slow tests/trainers $(PYTEST_ARGS)

test-torch: $(TORCH_VENV)/.installed  ## the callbacks in Lightning and Transformers, in a separate environment
	$(TORCH_VENV)/bin/python -m pytest -q -m torch tests/unit/mllog $(PYTEST_ARGS)

test-lowest: $(LOWEST_VENV)/.installed  ## all tests with the lowest versions that setup.cfg allows, in a separate environment
	$(LOWEST_VENV)/bin/python -m pytest -n $(WORKERS) -q -m "not slow and not browser" $(PYTEST_ARGS)

# Of each version the first interpreter that starts: on the PATH, pyenv's, uv's.
test-pythons:  ## the tests of the base installation with every Python that is found, in separate environments
	@for version in $(PYTHON_VERSIONS); do \
		for python in python$$version "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/$$version.*/bin/python \
			"$${UV_PYTHON_INSTALL_DIR:-$$HOME/.local/share/uv/python}"/cpython-$$version.*/bin/python; do \
			"$$python" -c 0 2>/dev/null && break || python=; \
		done; \
		if [ -z "$$python" ]; then echo "Python $$version: not found"; continue; fi; \
		echo "Python $$version: $$python"; \
		$(MAKE) --no-print-directory test-base PYTHON="$$python" VENV=.venv-python$$version || failed="$$failed $$version"; \
	done; \
	if [ -n "$$failed" ]; then echo "FAILED with Python$$failed" >&2; exit 1; fi

test-base: $(TESTED)
	$(BIN)/python -m pytest -p tests.base_only -q -m "not slow" $(BASE_TESTS) $(PYTEST_ARGS)

check: lint format-check types contracts pages-fresh logs-fresh  ## lint, types, import contracts, stale files

lint: $(FULL)
	$(BIN)/ruff check .

format-check: $(FULL)
	$(BIN)/ruff format --check .

types: $(FULL)
	$(BIN)/mypy

contracts: $(FULL)
	$(BIN)/lint-imports

pages-fresh: $(FULL)
	$(WRITE_RULE_PAGES) --check $(RULE_PAGES)

logs-fresh: $(FULL)
	$(BIN)/python examples/logs/make_logs.py --check
	$(BIN)/python examples/submission/make_submission.py --check

format: $(FULL)  ## format the code and fix lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(FULL)  ## regenerate the generated pages
	$(WRITE_RULE_PAGES) $(RULE_PAGES)
	$(BIN)/python docs/write_store_tables.py docs/store_tables.md
	$(BIN)/python examples/logs/make_logs.py
	$(BIN)/python examples/submission/make_submission.py
	$(BIN)/python docs/run_console_blocks.py --write $(SHOWING_PAGES)

docs-site: $(SITE)  ## the documentation as a site with search, in docs/_build; warnings and broken links fail
	$(BIN)/python docs/site/build.py

docs-look: docs-site  ## open every page of the site in Chromium, at two widths: links, scripts, width, search
	$(BIN)/python docs/site/look.py

bench: $(FULL)  ## measure, against the public package if `make peer` has installed it
	MLPERF_PEER_PYTHON=$(MLPERF_PEER_PYTHON) $(BIN)/python -m benchmarks

measure-mini: $(FULL)  ## run every reference trainer many times and record the results; TASKS=… selects some, STEPS=targets,… sets targets
	$(BIN)/python -m benchmarks.measure_trainers $(TASKS) $(if $(STEPS),--steps $(STEPS))

suite: $(FULL)  ## train all seven trainers five times, check, test, score and draw: out/suite; SUITE_ARGS='--price 0.10/h'
	$(BIN)/python examples/train_suite.py $(SUITE_ARGS)

suite-references: $(FULL)  ## write the reference results of `mlperf score --suite mini` from the series of measure-mini, or from FROM=…
	$(BIN)/python -m benchmarks.suite_references $(FROM)

profile: $(FULL)  ## profile all trainers at mini scale and write the page and its picture; needs their data in data/
	$(BIN)/python benchmarks/profile_trainers.py

peer: $(PEER_VENV)/.installed  ## install the public mlperf-logging package into a separate environment

fuzz: $(FULL)  ## damaged logs and side files to the API and the commands; FUZZ_MINUTES=1, FUZZ_SEED=1
	$(BIN)/python tests/fuzz --minutes $(FUZZ_MINUTES) --seed $(FUZZ_SEED)

nightly: $(FULL)  ## the property tests, fuzzing, the emitter's stress tests and trainers broken on purpose, at length; all tests with the lowest versions
	MLPERF_EXAMPLES=$(NIGHTLY_EXAMPLES) $(PYTEST) -n $(WORKERS) -q tests/properties tests/fuzz $(PYTEST_ARGS)
	$(PYTEST) -q -m slow tests/end_to_end $(PYTEST_ARGS)
	$(PYTEST) -q -m slow tests/trainers/test_breaks.py -k "not reinforcement_learning" $(PYTEST_ARGS)
	$(MAKE) fuzz FUZZ_MINUTES=10 FUZZ_SEED=$$(date +%Y%m%d)
	$(MAKE) test-lowest

release: $(RELEASE_VENV)/.installed  ## build what is released from the last commit, twice, and check, try and describe it: dist/
	.ci/release $(RELEASE_VENV)/bin

clean:  ## remove build products and caches, but not the environments
	rm -rf build dist docs/_build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache out
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "no python3 found; install Python 3.10 or newer, or name it: make PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
		echo "$(PYTHON) is $$($(PYTHON) --version); Python 3.10 or newer is needed: make PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# A development installation also serves the demo, so it leaves the smaller one's stamp too.
$(BASE): setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[analysis,reference]'
	@touch $@

$(FULL): setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(BASE) $@

$(SITE): setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@

$(TESTED): setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . pytest hypothesis 'setuptools>=68'
	@touch $@

$(TORCH_VENV)/.installed: setup.cfg pyproject.toml | $(BIN)/python
	$(PYTHON) -m venv $(TORCH_VENV)
	$(TORCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check '$(TORCH)'
	$(TORCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[torch]' pytest hypothesis
	@touch $@

# uv can resolve to the lowest declared versions; pip always takes the highest.
$(LOWEST_VENV)/.installed: setup.cfg pyproject.toml | $(BIN)/python
	$(PYTHON) -m venv $(LOWEST_VENV)
	$(LOWEST_VENV)/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(LOWEST_VENV)/bin/uv pip install --quiet --python $(LOWEST_VENV)/bin/python --resolution lowest-direct --editable '.[dev]'
	@touch $@

$(RELEASE_VENV)/.installed: | $(BIN)/python
	$(PYTHON) -m venv $(RELEASE_VENV)
	$(RELEASE_VENV)/bin/python -m pip install --quiet --disable-pip-version-check build twine check-wheel-contents cyclonedx-bom
	@touch $@

$(PEER_VENV)/.installed: | $(BIN)/python
	$(PYTHON) -m venv $(PEER_VENV)
	$(PEER_VENV)/bin/python -m pip install --quiet --disable-pip-version-check mlperf-logging
	@touch $@
