"""The imports of each function at its start from the zip, which determine its cold start and its memory."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.package.bundle_process import run_in_bundle
from tests.package.packaged_template import EVENTS, FUNCTIONS, Json, function

if TYPE_CHECKING:
    from pathlib import Path

ALL_FUNCTIONS = {"app", "chalice", "chalicelib", "msgspec", "typing_extensions"}
TOKENS = {"_cffi_backend", "_openssl", "cryptography", "jwt"}
CLUSTER = {"kubernetes", "urllib3"}
BODIES = {"annotated_types", "pydantic", "pydantic_core", "typing_inspection"}

LIGHT = {"docs", "docs_asset", "health", "openapi", "sign_in"}
"""Functions that need no cluster; health imports the cluster's modules only for a deep check."""
SUBMITTING = {"clone_job", "retry_job", "submit_job", "submit_upload"}
CLIENT = {"botocore", "dateutil", "jmespath", "six"}
"""The packages of botocore's clients for S3 and EventBridge."""
OWN = {"announce": CLIENT, "cleanup": CLIENT, "submit_upload": CLIENT | {"yaml"}}
KEYS = {"self_check"}
"""Functions for events that fetch the keys of the token issuer."""

LIST_IMPORTS = (
    "import importlib, json; before = set(sys.modules); importlib.import_module({module!r}); "
    "print(json.dumps(sorted(set(sys.modules) - before)))"
)


@pytest.fixture(scope="module", params=FUNCTIONS)
def function_modules(request: pytest.FixtureRequest, packaged: Json, unzipped: Path) -> tuple[str, set[str]]:
    """Return a function, and the modules that it loads before its first request."""
    name = request.param
    module = function(packaged, name)["Handler"].rpartition(".")[0]
    return name, set(json.loads(run_in_bundle(unzipped, LIST_IMPORTS.format(module=module), ENDPOINT=name)))


def packages(modules: set[str]) -> set[str]:
    """Return the packages of *modules* that are not part of Python."""
    return {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names) - {"__mp_main__"}


class TestFootprint:
    """The imports of a function."""

    def test_has_the_needed_packages(self, function_modules: tuple[str, set[str]]) -> None:
        """Every package has a reason; only functions that submit import pydantic."""
        name, modules = function_modules
        connected = set[str]() if name in LIGHT else TOKENS | CLUSTER
        bodies = BODIES if name in SUBMITTING else set[str]()

        # The names of compiler support modules depend on the machine.
        imported = {package for package in packages(modules) if not package.startswith(("_cython", "_sysconfigdata"))}

        # Functions for events need no token, except for the keys, and their handler is not in app.py.
        absent = {"app"} | (set() if name in KEYS else TOKENS) if name in EVENTS else set[str]()
        assert imported - {"cython_runtime"} == (ALL_FUNCTIONS | connected | bodies | OWN.get(name, set())) - absent

    def test_has_no_slow_imports(self, function_modules: tuple[str, set[str]]) -> None:
        """Kubernetes' models would add 300 ms to a cold start, importlib.metadata 8 ms; no function needs them."""
        kubernetes = {module for module in function_modules[1] if module.startswith("kubernetes.client.")}

        assert kubernetes <= {"kubernetes.client.exceptions", "kubernetes.client.rest"}
        assert "importlib.metadata" not in function_modules[1]

    def test_has_no_other_function(self, function_modules: tuple[str, set[str]]) -> None:
        """The modules of other functions are not imported."""
        name, modules = function_modules
        functions = {module for module in modules if module.startswith("chalicelib.functions.") and "._" not in module}

        assert functions == {f"chalicelib.functions.{name}"}
