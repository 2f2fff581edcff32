# All commands for developers. `make run` and `make test` need only Python 3.11, 3.12, 3.13 or 3.14.
# 3.13, the version of the functions, is preferred; `make run PYTHON=/usr/bin/python3.11` overrides the choice.
ifndef PYTHON
PYTHON := $(shell sh infra/find_python.sh 3.13 3.12 3.11 3.14)
endif
VENV ?= .venv
PORT ?= 8000
CLUSTER ?= embedded
STAGE ?= dev
STACK ?= researcher-$(STAGE)
PARAMETERS ?= .local/$(STAGE).yaml
CONFIGURATION ?= .local/$(STAGE).json
PACKAGE = build/$(STAGE)
CLOUD_embedded = infra.local
CLOUD_real = tests.cluster
COSMIC_RAY = ../mutation/bin
SITE = .venv-docs
GENERATORS = .venv-generators
BIN = $(VENV)/bin
READY = $(VENV)/ready
ASSETS = chalicelib/assets/index.html

.PHONY: help run cleanup doctor test test-all test-oldest check format lock openapi client-models reference docs lint-openapi lint-template lint-workflows check-api release audit control-plane test-cluster test-clients test-client test-browser thorough figures mutants package deploy bench

.DEFAULT_GOAL := run

help:  ## list these commands
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | while IFS="$$(printf '\t')" read -r name text; do \
		printf '  make %-15s %s\n' "$$name" "$$text"; done

run: $(READY) $(ASSETS)  ## run the API on this machine, with everything that it needs
	@test -n "$(CLOUD_$(CLUSTER))" || { echo "CLUSTER must be embedded or real." >&2; exit 1; }
	@test "$(CLUSTER)" != real || $(BIN)/python -m tests.cluster.build
	@exec $(BIN)/python -m $(CLOUD_$(CLUSTER)) --port $(PORT)

cleanup: $(READY)  ## delete expired finished Jobs of `make run`, or of FUNCTION=<name>; DRY_RUN=1 only lists them
	@$(BIN)/python -m infra.commands.cleanup $(if $(FUNCTION),--function $(FUNCTION)) $(if $(DRY_RUN),--dry-run)

doctor: $(READY)  ## check the stack STACK, and say what is wrong and how to fix it; CONTEXT=<kubeconfig context>
	@$(BIN)/python -m infra.commands.doctor --stack $(STACK) $(if $(CONTEXT),--context $(CONTEXT))

PYTEST = $(BIN)/pytest -n 2 --dist loadfile

test: $(READY) $(ASSETS)  ## the tests that every change must pass: unit, contract, clients and product; takes minutes
	$(PYTEST) -m "not walk" tests/unit tests/contract tests/clients tests/product

test-all: $(READY) $(ASSETS)  ## all tests that need neither Go nor a browser, with coverage
	$(PYTEST) tests/unit tests/contract tests/product tests/clients tests/package tests/deployed tests/bench tests/security --cov --cov-report=
	$(BIN)/coverage report --fail-under=95
	$(BIN)/coverage report --fail-under=100 --include='chalicelib/domain/**,chalicelib/adapters/**'

test-oldest: $(READY) $(ASSETS)  ## unit and contract tests; the gate runs them on the oldest supported Python
	$(PYTEST) tests/unit tests/contract

check: $(READY)  ## static checks: style, types, layers, docstrings, generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=client/src $(BIN)/lint-imports
	$(BIN)/interrogate --quiet app.py chalicelib infra tests client
	$(BIN)/codespell
	$(BIN)/python -m tests.prose
	$(BIN)/python -m infra.openapi --check
	$(BIN)/python -m infra.reference --check
	$(BIN)/python -m infra.client --check
	$(BIN)/bandit --quiet --recursive --severity-level medium app.py chalicelib infra client/src

format: $(READY)  ## sort imports, format the code, and fix what ruff can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

openapi: $(READY)  ## write chalicelib/openapi.json from the routes
	$(BIN)/python -m infra.openapi

client-models: openapi  ## write the models of the client from the OpenAPI document
	$(BIN)/python -m infra.client

reference: openapi  ## write the generated parts of docs/ from the code
	$(BIN)/python -m infra.reference

docs: $(SITE)/ready  ## build the documentation site in build/site; fails on a broken link; needs npm
	NO_MKDOCS_2_WARNING=1 $(SITE)/bin/mkdocs build --strict

lint-openapi:  ## lint the OpenAPI document with Redocly; needs npm
	npm --prefix tests/openapi_lint ci --no-audit --no-fund
	npm --prefix tests/openapi_lint run lint

GO_TOOL = $(BIN)/python -m tests.go_tools
API = tests/api_compatibility

check-api: $(READY)  ## find breaking changes of the API since the last release; intended ones are listed in tests/api_compatibility/allowed.md
	$(GO_TOOL) oasdiff breaking --format singleline --fail-on WARN --allow-external-refs=false --severity-levels $(API)/severity.txt \
		--err-ignore $(API)/allowed.md --warn-ignore $(API)/allowed.md $(API)/released.json chalicelib/openapi.json

LINT = build/template-lint
TEMPLATE_TOOLS = .venv-checkov/ready .venv-sam/ready

lint-template: $(READY) $(TEMPLATE_TOOLS)  ## check the template with checkov and `sam validate --lint`; needs no AWS account
	$(BIN)/python -m tests.template_lint $(LINT)
	.venv-checkov/bin/checkov --config-file tests/template_lint/checkov.yaml --file $(LINT)/transformed.json infra/cluster-access.yaml
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-west-1 .venv-sam/bin/sam validate --lint --template $(LINT)/template.json

lint-workflows: $(READY)  ## lint the GitHub workflows with actionlint and zizmor
	$(GO_TOOL) actionlint -shellcheck= -pyflakes=
	$(BIN)/zizmor --offline --quiet --no-progress --persona=pedantic .github

audit: $(READY)  ## find known vulnerabilities; also fails if PyPI's advisories cannot be downloaded
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement requirements.txt
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement requirements-dev.txt

control-plane: $(READY)  ## build a real Kubernetes control plane; needs Go, and takes minutes once per version
	$(BIN)/python -m tests.cluster.build

# The security tests whose result may depend on a real API server; the others do not reach it, or run weekly.
ON_THE_CLUSTER = $(addprefix tests/security/test_, faults.py headers.py hostile_objects.py names.py outages.py secrets.py specs.py)

test-cluster: control-plane $(ASSETS)  ## contract and product tests on the real control plane
	CLUSTER=real $(PYTEST) tests/cluster tests/contract tests/product $(ON_THE_CLUSTER)
	cd client && CLUSTER=real $(abspath $(BIN))/pytest -n0 tests/test_commands.py tests/test_exactly_once.py -k "Lifecycle or Follow or Deletion"

test-clients: $(GENERATORS)/ready $(ASSETS)  ## generate clients, and run them; needs npm, Java and Maven
	$(BIN)/pytest -n0 tests/generators

test-client: $(READY)  ## test the command line and the Python client in client/
	cd client && $(abspath $(BIN))/pytest -n 2 --dist loadfile tests

test-browser: $(READY) $(ASSETS)  ## test the documentation page in Chromium
	$(BIN)/pytest -n0 tests/browser

thorough: export THOROUGH = 1
thorough: export CASES = 10000
thorough: control-plane $(ASSETS) $(GENERATORS)/ready  ## weekly: all suites with larger case counts, on both clusters, and all clients; takes hours
	$(BIN)/pytest -n0 tests/generators
	$(PYTEST) tests/unit tests/contract tests/product tests/clients tests/package tests/deployed tests/bench tests/security
	CLUSTER=real CASES=500 $(PYTEST) tests/cluster tests/contract tests/product tests/security

figures: control-plane $(ASSETS)  ## update the table in tests/README.md: ten thousand cases, 15 minutes on an idle machine
	LOAD_SECONDS=60 CASES=10000 $(BIN)/pytest -n0 --figures tests/security
	LOAD_SECONDS=60 CASES=500 CLUSTER=real $(BIN)/pytest -n0 --figures tests/security
	$(BIN)/python -m tests.figures

mutants: $(READY)  ## mutation tests of the most important rules, in a copy of the last commit; prints surviving mutants after 30 minutes
	rm -rf build/mutants build/mutation && git clone --quiet . build/mutants
	$(BIN)/uv venv --quiet --python $(BIN)/python build/mutation
	VIRTUAL_ENV=build/mutation $(BIN)/uv pip sync --quiet --require-hashes tests/mutants.txt
	cd build/mutants && $(COSMIC_RAY)/cosmic-ray init tests/mutants.toml mutants.sqlite
	cd build/mutants && $(COSMIC_RAY)/cr-filter-operators mutants.sqlite tests/mutants.toml
	cd build/mutants && $(COSMIC_RAY)/cosmic-ray exec tests/mutants.toml mutants.sqlite
	cd build/mutants && $(COSMIC_RAY)/cr-report --surviving-only --show-diff mutants.sqlite

package: $(READY)  ## write the deployment package to build/<STAGE>, with the stage's CONFIGURATION; needs no AWS account
	@test ! -f "$(CONFIGURATION)" || set -- --configuration "$(CONFIGURATION)"; \
		$(BIN)/python -m infra.packaging --stage $(STAGE) --out "$(PACKAGE)" "$$@"

RELEASED = build/v$(VERSION)

release: check check-api  ## commit and tag version VERSION, with its template, zip and SBOM in build/; pushes nothing
	$(BIN)/python -m infra.release "$(VERSION)"
	$(BIN)/python -m infra.openapi
	$(BIN)/python -m infra.client
	$(BIN)/python -m infra.client.recording
	cp chalicelib/openapi.json $(API)/released.json
	$(BIN)/python -m infra.packaging --stage $(STAGE) --out $(RELEASED)
	git add client/tests/recorded
	git commit --quiet --all --message "Release $(VERSION)"
	git tag --annotate "v$(VERSION)" --message "Researcher REST API $(VERSION)"
	@echo "v$(VERSION) is tagged, and its files are in $(RELEASED). Push both: git push origin HEAD v$(VERSION)"

deploy: package  ## deploy the stack STACK with the JSON or YAML file PARAMETERS; ARTIFACTS is your bucket for the zip; needs the AWS CLI
	@test -n "$(ARTIFACTS)" || { echo "Set a bucket for the zip: make deploy STAGE=$(STAGE) ARTIFACTS=<bucket>" >&2; exit 1; }
	@test -f "$(CONFIGURATION)" || { echo "The file $(CONFIGURATION) with the configuration of the stage does not exist; docs/operate/deploy.md has an example." >&2; exit 1; }
	@$(BIN)/python -m infra.commands.deploy --package "$(PACKAGE)" --stack "$(STACK)" --artifacts "$(ARTIFACTS)" \
		--parameters "$(PARAMETERS)" -- $(DEPLOY_OPTIONS)

bench: control-plane $(ASSETS)  ## benchmark the API against alternatives: 15 minutes on an idle machine; ONLY, ROUNDS, DOCS=1
	$(BIN)/python -m tests.bench $(if $(ONLY),--only $(ONLY)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(DOCS),--docs)

LOCK = $(BIN)/uv pip compile --quiet --universal --no-header --python-version 3.11 --generate-hashes

lock: $(READY)  ## update the locked requirements, with hashes, from pyproject.toml
	$(LOCK) pyproject.toml --output-file requirements.txt
	$(LOCK) pyproject.toml --group dev --output-file requirements-dev.txt
	$(LOCK) --group mutants --output-file tests/mutants.txt
	$(LOCK) --group control-plane --output-file tests/cluster/go.txt
	$(LOCK) --group generators --output-file tests/generators/requirements.txt
	$(LOCK) --group checkov --output-file tests/template_lint/checkov.txt
	$(LOCK) --group sam --output-file tests/template_lint/sam.txt
	$(LOCK) --group docs --output-file infra/site/requirements.txt

NOT_INSTALLED = echo "The packages could not be installed: check the network connection, or the messages in \
$(VENV)/install.log." >&2; exit 1

# Recreate an environment whose Python version is not that of PYTHON.
version = $(shell $(1) -I -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
ifneq ($(call version,$(BIN)/python),$(call version,$(PYTHON)))
.PHONY: $(READY)
endif

$(READY): requirements-dev.txt
	@case "$(call version,$(PYTHON))" in 3.11|3.12|3.13|3.14) ;; \
		*) echo "Python 3.13, 3.12, 3.11 or 3.14 with venv is required: install python3.13, or set PYTHON=<path>." >&2; exit 1;; esac
	@echo "1 of 3: create $(VENV) with Python $(call version,$(PYTHON)). All three take 30 seconds, once."
	@$(PYTHON) -m venv --clear $(VENV)
	@echo "2 of 3: install uv"
	@sed -n '/^uv==/,/# via/p' requirements-dev.txt > $(VENV)/uv.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement $(VENV)/uv.txt \
		2> $(VENV)/install.log || { $(NOT_INSTALLED); }
	@echo "3 of 3: install the packages of requirements-dev.txt"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync --quiet --require-hashes requirements-dev.txt \
		2> $(VENV)/install.log || { $(NOT_INSTALLED); }
	@touch $@

$(SITE)/ready: $(READY) infra/site/requirements.txt infra/site/package-lock.json
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(SITE)
	@VIRTUAL_ENV=$(SITE) $(BIN)/uv pip sync --quiet --require-hashes infra/site/requirements.txt
	@cp infra/site/package.json infra/site/package-lock.json $(SITE)
	@npm --prefix $(SITE) ci --no-audit --no-fund --ignore-scripts --silent
	@touch $@

$(TEMPLATE_TOOLS): .venv-%/ready: $(READY) tests/template_lint/%.txt
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(@D)
	@VIRTUAL_ENV=$(@D) $(BIN)/uv pip sync --quiet --require-hashes tests/template_lint/$*.txt
	@touch $@

$(GENERATORS)/ready: $(READY) tests/generators/requirements.txt tests/generators/npm/package-lock.json
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(GENERATORS)
	@VIRTUAL_ENV=$(GENERATORS) $(BIN)/uv pip sync --quiet --require-hashes tests/generators/requirements.txt
	@npm --prefix tests/generators/npm ci --silent
	@touch $@

$(ASSETS): $(READY) infra/packaging/docs_assets.py $(wildcard infra/docs/*)
	@$(BIN)/python -m infra.packaging.docs_assets
	@touch $@
