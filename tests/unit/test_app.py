"""The Chalice app, with all functions or only the one of a Lambda."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import app

ROOT = Path(app.__file__).parent
SCRIPT = (
    "import app, json, sys;"
    "views = sorted(entry.view_name for methods in app.app.routes.values() for entry in methods.values());"
    "cors = app.app.api.cors;"
    "print(json.dumps([views, bool(cors) and cors.get_access_control_headers(), sorted(sys.modules)]))"
)


def loaded(**environment: str) -> tuple[list[str], dict[str, str], list[str]]:
    """Return the views, the CORS headers and the modules of an app in a new process."""
    process = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env=os.environ | environment,
        check=True,
        capture_output=True,
        text=True,
    )
    views, cors, modules = json.loads(process.stdout)
    return views, cors, modules


class TestEndpoint:
    """The variable `ENDPOINT`; package/test_footprint.py covers the modules that each function of the zip loads."""

    @pytest.mark.parametrize("name", ["submit_job", "list_jobs", "docs"])
    def test_is_the_only_function(self, name: str) -> None:
        """A Lambda serves its own route and loads no code of others; the page loads no token or cluster code."""
        views, _, modules = loaded(ENDPOINT=name)

        assert views == [name]
        functions = [name for name in modules if name.startswith("chalicelib.functions.") and "._" not in name]
        assert functions == [f"chalicelib.functions.{name}"]
        assert ("chalicelib.domain.submission.model" in modules) == (name == "submit_job")
        assert {"jwt", "urllib3"}.isdisjoint(modules) == (name == "docs")

    def test_missing_serves_all(self) -> None:
        """Without the variable, all routes are served, as on a developer's machine."""
        assert {"submit_job", "list_jobs", "docs", "health"} <= set(loaded(ENDPOINT="")[0])


class TestCors:
    """The variable `CORS_ORIGIN`."""

    def test_names_one_origin(self) -> None:
        """Only the configured origin is allowed, with the headers that its scripts need; by default none is."""
        assert not loaded(CORS_ORIGIN="")[1]
        headers = loaded(CORS_ORIGIN="https://portal.example")[1]

        assert headers["Access-Control-Allow-Origin"] == "https://portal.example"
        assert "Idempotency-Key" in headers["Access-Control-Allow-Headers"]
        assert "ETag" in headers["Access-Control-Expose-Headers"]
