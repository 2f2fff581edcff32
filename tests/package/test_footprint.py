"""What each function imports when it starts from the zip, alone in a process: that is its cold start and its memory."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.package.bare import printed_by
from tests.package.reading import EVENTS, FUNCTIONS, Json, function

if TYPE_CHECKING:
    from pathlib import Path

EVERY = {"app", "chalice", "chalicelib", "msgspec", "typing_extensions"}
TOKENS = {"_cffi_backend", "_openssl", "cryptography", "jwt"}
CLUSTER = {"kubernetes", "urllib3"}
BODIES = {"annotated_types", "pydantic", "pydantic_core", "typing_inspection"}

LIGHT = {"docs", "docs_asset", "health", "openapi"}
"""Functions that ask nobody; health asks the cluster when it is told to, and imports what it needs then."""
SUBMITTING = {"clone_job", "retry_job", "submit_job", "submit_upload"}
CLIENT = {"botocore", "dateutil", "jmespath", "six"}
"""What botocore's clients, of S3 and of EventBridge, take."""
OWN = {"announce": CLIENT, "cleanup": CLIENT, "submit_upload": CLIENT | {"yaml"}}

STARTED = (
    "import importlib, json; before = set(sys.modules); importlib.import_module({module!r}); "
    "print(json.dumps(sorted(set(sys.modules) - before)))"
)


@pytest.fixture(scope="module", params=FUNCTIONS)
def started(request: pytest.FixtureRequest, packaged: Json, unzipped: Path) -> tuple[str, set[str]]:
    """A function, and the modules that it loads before its first request."""
    name = request.param
    module = function(packaged, name)["Handler"].rpartition(".")[0]
    return name, set(json.loads(printed_by(unzipped, STARTED.format(module=module), ENDPOINT=name)))


def packages(modules: set[str]) -> set[str]:
    """The packages of *modules* that Python does not bring itself."""
    return {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names) - {"__mp_main__"}


class TestFootprint:
    """A function's imports."""

    def test_is_what_it_needs(self, started: tuple[str, set[str]]) -> None:
        """Every package has its reason; only submitting pays for pydantic."""
        name, modules = started
        connected = set[str]() if name in LIGHT else TOKENS | CLUSTER
        bodies = BODIES if name in SUBMITTING else set[str]()

        # The compiler's own marks differ from machine to machine.
        found = {package for package in packages(modules) if not package.startswith(("_cython", "_sysconfigdata"))}

        # Events come without a token, and to their module without app.py.
        absent = TOKENS | {"app"} if name in EVENTS else set[str]()
        assert found - {"cython_runtime"} == (EVERY | connected | bodies | OWN.get(name, set())) - absent

    def test_has_nothing_dear(self, started: tuple[str, set[str]]) -> None:
        """Kubernetes' models are 300 ms of a cold start, what reads the versions of packages is 8; nobody asks them."""
        kubernetes = {module for module in started[1] if module.startswith("kubernetes.client.")}

        assert kubernetes <= {"kubernetes.client.exceptions", "kubernetes.client.rest"}
        assert "importlib.metadata" not in started[1]

    def test_has_no_other_function(self, started: tuple[str, set[str]]) -> None:
        """What another endpoint needs is no part of this one's cold start."""
        name, modules = started
        functions = {one for one in modules if one.startswith("chalicelib.functions.") and "._" not in one}

        assert functions == {f"chalicelib.functions.{name}"}
