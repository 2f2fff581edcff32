# The whole developer interface. `make run` and `make test` need nothing but Python >= 3.11.
PYTHON := $(shell for p in python3.13 python3.12 python3; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
PORT ?= 8000
CLUSTER ?= embedded
UV = 0.13.9
READY = .venv/ready
BIN = .venv/bin

.PHONY: run test check format lock

$(READY): requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install python3.13, python3.12 or python3 (>= 3.11)." >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet uv==$(UV)
	$(BIN)/uv pip sync --quiet --require-hashes requirements-dev.txt
	@touch $@

test: $(READY)
	$(BIN)/pytest -n 2

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/interrogate --quiet app.py chalicelib infra tests

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(READY)
	$(BIN)/uv pip compile --quiet --universal --no-header --python-version 3.11 --generate-hashes pyproject.toml --output-file requirements.txt
	$(BIN)/uv pip compile --quiet --universal --no-header --python-version 3.11 --generate-hashes pyproject.toml --group dev --output-file requirements-dev.txt
