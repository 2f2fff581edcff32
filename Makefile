# The whole developer interface. `make run` and `make test` need nothing but Python >= 3.11.
PYTHON := $(shell for p in python3.13 python3.12 python3; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
PORT ?= 8000
CLUSTER ?= embedded
STAGE ?= dev
CLOUD_embedded = infra.local
CLOUD_real = tests.cluster
UV = 0.13.9
BIN = .venv/bin
READY = .venv/ready
ASSETS = chalicelib/assets/index.html

.PHONY: run cleanup test check format lock openapi lint-openapi control-plane test-cluster test-browser package bench

run: $(READY) $(ASSETS)  ## the API on this machine, with everything it needs
	@test -n "$(CLOUD_$(CLUSTER))" || { echo "CLUSTER is embedded or real." >&2; exit 1; }
	@test "$(CLUSTER)" != real || $(BIN)/python -m tests.cluster.build
	@exec $(BIN)/python -m $(CLOUD_$(CLUSTER)) --port $(PORT)

cleanup: $(READY)  ## deletes finished Jobs of `make run` that are past their retention; DRY_RUN=1 only tells which
	@$(BIN)/python -m infra.cleanup $(if $(FUNCTION),--function $(FUNCTION)) $(if $(DRY_RUN),--dry-run)

test: $(READY) $(ASSETS)  ## everything that needs neither Go nor a browser, and how much of the code it reaches
	$(BIN)/pytest -n 2 --dist loadfile tests/unit tests/contract tests/product tests/clients tests/package --cov --cov-report=
	$(BIN)/coverage report --fail-under=95
	$(BIN)/coverage report --fail-under=100 --include='chalicelib/domain/*,chalicelib/adapters/*'

check: $(READY)  ## the gate: style, types, layers, docstrings, generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/interrogate --quiet app.py chalicelib infra tests
	$(BIN)/python -m infra.openapi --check

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

openapi: $(READY)  ## writes chalicelib/openapi.json from the routes
	$(BIN)/python -m infra.openapi

lint-openapi:  ## Spectral and Redocly; needs npm
	npm --prefix tests/openapi_lint ci --no-audit --no-fund
	npm --prefix tests/openapi_lint run lint

control-plane: $(READY)  ## builds a real Kubernetes control plane; needs Go, and minutes, once per version
	$(BIN)/python -m tests.cluster.build

test-cluster: control-plane $(ASSETS)  ## the contract and the product on the real control plane
	CLUSTER=real $(BIN)/pytest -n0 tests/cluster tests/contract tests/product

test-browser: $(READY) $(ASSETS)  ## the documentation page in Chromium
	$(BIN)/pytest -n0 tests/browser

package: $(READY)  ## what would be deployed, in build/$(STAGE); needs no AWS account
	$(BIN)/python -m infra.package --stage $(STAGE) --out build/$(STAGE)

bench:
	@echo "make $@: not yet." >&2; exit 1

lock: $(READY)
	$(BIN)/uv pip compile --quiet --universal --no-header --python-version 3.11 --generate-hashes pyproject.toml --output-file requirements.txt
	$(BIN)/uv pip compile --quiet --universal --no-header --python-version 3.11 --generate-hashes pyproject.toml --group dev --output-file requirements-dev.txt

$(READY): requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install python3.13, python3.12 or python3 (>= 3.11)." >&2; exit 1; }
	@echo "Preparing .venv: half a minute, once."
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check uv==$(UV)
	@$(BIN)/uv pip sync --quiet --require-hashes requirements-dev.txt
	@touch $@

$(ASSETS): $(READY) infra/docs_assets.py $(wildcard infra/docs/*)
	@$(BIN)/python -m infra.docs_assets
	@touch $@
