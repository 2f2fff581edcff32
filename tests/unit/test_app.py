"""The Chalice app: all functions together, or the one that a Lambda is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import app

ROOT = Path(app.__file__).parent
TELL = (
    "import app, json, sys;"
    "views = sorted(entry.view_name for methods in app.app.routes.values() for entry in methods.values());"
    "cors = app.app.api.cors;"
    "print(json.dumps([views, bool(cors) and cors.get_access_control_headers(), sorted(sys.modules)]))"
)


def loaded(**environment: str) -> tuple[list[str], dict[str, str], list[str]]:
    """The views, the CORS headers and the modules of an app in a process of its own."""
    told = subprocess.run(
        [sys.executable, "-c", TELL], cwd=ROOT, env=os.environ | environment, check=True, capture_output=True, text=True
    )
    views, cors, modules = json.loads(told.stdout)
    return views, cors, modules


class TestEndpoint:
    """The variable `ENDPOINT`."""

    @pytest.mark.parametrize("name", ["submit_job", "list_jobs", "docs"])
    def test_is_the_only_function(self, name: str) -> None:
        """A Lambda answers its own route, and no other."""
        assert loaded(ENDPOINT=name)[0] == [name]

    def test_loads_no_other_function(self) -> None:
        """What another endpoint needs is no part of this one's cold start."""
        modules = loaded(ENDPOINT="list_jobs")[2]

        assert "chalicelib.domain.submission" not in modules
        assert [one for one in modules if one.startswith("chalicelib.functions.")] == ["chalicelib.functions.list_jobs"]

    @pytest.mark.parametrize("name", ["health", "docs", "docs_asset", "openapi"])
    def test_is_light_where_nothing_is_asked(self, name: str) -> None:
        """These neither check tokens nor ask the cluster, so they load nothing for it."""
        modules = loaded(ENDPOINT=name)[2]

        assert f"chalicelib.functions.{name}" in modules
        assert {"kubernetes", "boto3", "botocore", "jwt", "pydantic", "urllib3"}.isdisjoint(modules)

    def test_missing_serves_all(self) -> None:
        """As on a developer's machine."""
        assert {"submit_job", "list_jobs", "docs", "health"} <= set(loaded(ENDPOINT="")[0])


class TestCors:
    """The variable `CORS_ORIGIN`."""

    def test_names_one_origin(self) -> None:
        """That origin, and the headers its scripts need; by default no other web origin may call."""
        assert not loaded(CORS_ORIGIN="")[1]
        headers = loaded(CORS_ORIGIN="https://portal.example")[1]

        assert headers["Access-Control-Allow-Origin"] == "https://portal.example"
        assert "Idempotency-Key" in headers["Access-Control-Allow-Headers"]
        assert "ETag" in headers["Access-Control-Expose-Headers"]
