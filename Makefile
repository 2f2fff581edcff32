# The whole developer interface. `make run` and `make test` need nothing but Python 3.11, 3.12, 3.13 or 3.14.
# 3.13 comes first: the Lambdas run it. `make run PYTHON=/usr/bin/python3.11` overrides the choice.
ifndef PYTHON
PYTHON := $(shell sh infra/find_python.sh 3.13 3.12 3.11 3.14)
endif
VENV ?= .venv
PORT ?= 8000
CLUSTER ?= embedded
STAGE ?= dev
STACK ?= researcher-$(STAGE)
PARAMETERS ?= .local/$(STAGE).parameters
CLOUD_embedded = infra.local
CLOUD_real = tests.cluster
COSMIC_RAY = ../mutation/bin
SITE = .venv-docs
BIN = $(VENV)/bin
READY = $(VENV)/ready
ASSETS = chalicelib/assets/index.html

.PHONY: run cleanup test test-all test-oldest check format lock openapi reference docs lint-openapi audit control-plane test-cluster test-browser thorough figures mutants package deploy bench

run: $(READY) $(ASSETS)  ## the API on this machine, with everything it needs
	@test -n "$(CLOUD_$(CLUSTER))" || { echo "CLUSTER is embedded or real." >&2; exit 1; }
	@test "$(CLUSTER)" != real || $(BIN)/python -m tests.cluster.build
	@exec $(BIN)/python -m $(CLOUD_$(CLUSTER)) --port $(PORT)

cleanup: $(READY)  ## deletes finished Jobs of `make run` that are past their retention; DRY_RUN=1 only tells which
	@$(BIN)/python -m infra.commands.cleanup $(if $(FUNCTION),--function $(FUNCTION)) $(if $(DRY_RUN),--dry-run)

PYTEST = $(BIN)/pytest -n 2 --dist loadfile

test: $(READY) $(ASSETS)  ## what every change has to pass: rules, both sides of each adapter, clients and the product; minutes
	$(PYTEST) -m "not walk" tests/unit tests/contract tests/clients tests/product

test-all: $(READY) $(ASSETS)  ## everything that needs neither Go nor a browser, and how much of the code it reaches
	$(PYTEST) tests/unit tests/contract tests/product tests/clients tests/package tests/deployed tests/bench tests/security --cov --cov-report=
	$(BIN)/coverage report --fail-under=95
	$(BIN)/coverage report --fail-under=100 --include='chalicelib/domain/**,chalicelib/adapters/**'

test-oldest: $(READY) $(ASSETS)  ## the unit and contract suites; the gate runs them on the oldest Python, too
	$(PYTEST) tests/unit tests/contract

check: $(READY)  ## the gate: style, types, layers, docstrings, generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/interrogate --quiet app.py chalicelib infra tests
	$(BIN)/python -m infra.openapi --check
	$(BIN)/python -m infra.reference --check
	$(BIN)/bandit --quiet --recursive --severity-level medium app.py chalicelib infra

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

openapi: $(READY)  ## writes chalicelib/openapi.json from the routes
	$(BIN)/python -m infra.openapi

reference: openapi  ## writes the generated parts of docs/ from the code
	$(BIN)/python -m infra.reference

docs: $(SITE)/ready  ## the documentation site, in build/site; fails on a broken link; needs npm
	NO_MKDOCS_2_WARNING=1 $(SITE)/bin/mkdocs build --strict

lint-openapi:  ## Spectral and Redocly; needs npm
	npm --prefix tests/openapi_lint ci --no-audit --no-fund
	npm --prefix tests/openapi_lint run lint

audit: $(READY)  ## known vulnerabilities; fails where PyPI's advisories cannot be reached, too
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement requirements.txt
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement requirements-dev.txt

control-plane: $(READY)  ## builds a real Kubernetes control plane; needs Go, and minutes, once per version
	$(BIN)/python -m tests.cluster.build

# Of the attacks those that a real API server may answer in another way; the rest never reach it, or run weekly.
ON_THE_CLUSTER = $(addprefix tests/security/test_, faults.py headers.py hostile_objects.py names.py outages.py secrets.py specs.py)

test-cluster: control-plane $(ASSETS)  ## the contract and the product on the real control plane
	CLUSTER=real $(PYTEST) tests/cluster tests/contract tests/product $(ON_THE_CLUSTER)

test-browser: $(READY) $(ASSETS)  ## the documentation page in Chromium
	$(BIN)/pytest -n0 tests/browser

thorough: export THOROUGH = 1
thorough: export CASES = 10000
thorough: control-plane $(ASSETS)  ## weekly: every suite with its larger case counts, on both clusters; hours
	$(PYTEST) tests/unit tests/contract tests/product tests/clients tests/package tests/deployed tests/bench tests/security
	CLUSTER=real CASES=500 $(PYTEST) tests/cluster tests/contract tests/product tests/security

figures: control-plane $(ASSETS)  ## the table in tests/README.md: ten thousand cases, a quarter of an hour on a quiet machine
	LOAD_SECONDS=60 CASES=10000 $(BIN)/pytest -n0 --figures tests/security
	LOAD_SECONDS=60 CASES=500 CLUSTER=real $(BIN)/pytest -n0 --figures tests/security
	$(BIN)/python -m tests.figures

mutants: $(READY)  ## mutants of the rules that matter most, in a copy of the last commit; prints the survivors, in half an hour
	rm -rf build/mutants build/mutation && git clone --quiet . build/mutants
	$(BIN)/uv venv --quiet --python $(BIN)/python build/mutation
	VIRTUAL_ENV=build/mutation $(BIN)/uv pip sync --quiet --require-hashes tests/mutants.txt
	cd build/mutants && $(COSMIC_RAY)/cosmic-ray init tests/mutants.toml mutants.sqlite
	cd build/mutants && $(COSMIC_RAY)/cr-filter-operators mutants.sqlite tests/mutants.toml
	cd build/mutants && $(COSMIC_RAY)/cosmic-ray exec tests/mutants.toml mutants.sqlite
	cd build/mutants && $(COSMIC_RAY)/cr-report --surviving-only --show-diff mutants.sqlite

package: $(READY)  ## what would be deployed, in build/$(STAGE); needs no AWS account
	$(BIN)/python -m infra.packaging --stage $(STAGE) --out build/$(STAGE)

deploy: package  ## the stack STACK, told by PARAMETERS; ARTIFACTS is a bucket of yours for the zip; needs the AWS CLI
	@test -n "$(ARTIFACTS)" || { echo "Name a bucket for the zip: make deploy STAGE=$(STAGE) ARTIFACTS=<bucket>" >&2; exit 1; }
	@test -f "$(PARAMETERS)" || { echo "There is no $(PARAMETERS), which tells the stack of its cluster; docs/operate/deploy.md shows one." >&2; exit 1; }
	aws cloudformation package --template-file build/$(STAGE)/template.json --s3-bucket $(ARTIFACTS) --s3-prefix $(STACK) \
		--use-json --output-template-file build/$(STAGE)/uploaded.json
	aws cloudformation deploy --template-file build/$(STAGE)/uploaded.json --s3-bucket $(ARTIFACTS) --s3-prefix $(STACK) \
		--stack-name $(STACK) --capabilities CAPABILITY_IAM --no-fail-on-empty-changeset --parameter-overrides $$(cat $(PARAMETERS)) \
		Release=$$(cat $(PARAMETERS) build/$(STAGE)/functions.zip build/$(STAGE)/template.json | sha256sum | cut -c 1-16)
	aws cloudformation describe-stacks --stack-name $(STACK) --query "Stacks[0].Outputs" --output table

bench: control-plane $(ASSETS)  ## how fast it is, beside peers in the same run: a quarter of an hour, true on a quiet machine only; ONLY, ROUNDS, DOCS=1
	$(BIN)/python -m tests.bench $(if $(ONLY),--only $(ONLY)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(DOCS),--docs)

LOCK = $(BIN)/uv pip compile --quiet --universal --no-header --python-version 3.11 --generate-hashes

lock: $(READY)  ## writes what is installed, with hashes, from pyproject.toml
	$(LOCK) pyproject.toml --output-file requirements.txt
	$(LOCK) pyproject.toml --group dev --output-file requirements-dev.txt
	$(LOCK) --group mutants --output-file tests/mutants.txt
	$(LOCK) --group control-plane --output-file tests/cluster/go.txt
	$(LOCK) --group docs --output-file infra/site/requirements.txt

# An environment of another Python than PYTHON is made anew.
version = $(shell $(1) -I -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
ifneq ($(call version,$(BIN)/python),$(call version,$(PYTHON)))
.PHONY: $(READY)
endif

$(READY): requirements-dev.txt
	@case "$(call version,$(PYTHON))" in 3.11|3.12|3.13|3.14) ;; \
		*) echo "Python 3.13, 3.12, 3.11 or 3.14 is needed, with venv: install python3.13, or name one with PYTHON=<path>." >&2; exit 1;; esac
	@echo "Preparing $(VENV) with Python $(call version,$(PYTHON)): half a minute, once."
	@$(PYTHON) -m venv --clear $(VENV)
	@sed -n '/^uv==/,/# via/p' requirements-dev.txt > $(VENV)/uv.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement $(VENV)/uv.txt
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync --quiet --require-hashes requirements-dev.txt
	@touch $@

$(SITE)/ready: $(READY) infra/site/requirements.txt infra/site/package-lock.json
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(SITE)
	@VIRTUAL_ENV=$(SITE) $(BIN)/uv pip sync --quiet --require-hashes infra/site/requirements.txt
	@cp infra/site/package.json infra/site/package-lock.json $(SITE)
	@npm --prefix $(SITE) ci --no-audit --no-fund --ignore-scripts --silent
	@touch $@

$(ASSETS): $(READY) infra/packaging/docs_assets.py $(wildcard infra/docs/*)
	@$(BIN)/python -m infra.packaging.docs_assets
	@touch $@
