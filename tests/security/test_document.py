"""Schemathesis with the OpenAPI document of the API: all of its checks, configured in schemathesis.toml."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.functions.openapi import DOCUMENT
from tests.security.attacks import CASES
from tests.support.api import Api, token

if TYPE_CHECKING:
    from infra.local.local_stack import Stack
    from tests.support.attack_recorder import Counter

pytestmark = pytest.mark.attack("document")

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = min(CASES * 3 // 10, 1600)
"""Examples for each operation and phase: 60 are 3,000 requests in half a minute, 1,600 more than 20,000."""
MIN_CASES = min(30 * EXAMPLES, 20_000)
MIN_SUBMISSIONS = 100


def uids(bob: Api) -> set[str]:
    """Return the ids of the Jobs in bob's Project."""
    return {job["id"] for job in bob.request("GET", "/jobs/team-b").raise_for_status().json()["data"]}


def run(stack: Stack[Any], report: Path) -> subprocess.CompletedProcess[str]:
    """Run Schemathesis as alice on all operations; it writes *report*."""
    # From the file: if Schemathesis loads the document through an operation, it leaves out that operation.
    command = [Path(sys.executable).parent / "st", "run", DOCUMENT, "--url", stack.base_url]
    options = {
        "-H": f"Authorization: Bearer {token(stack, 'alice')}",
        "--seed": "1",
        "--max-examples": str(EXAMPLES),
        "--generation-database": "none",  # no finding of an earlier run
        "--report-json-path": str(report),
    }
    environment = os.environ | {"PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.security.fresh_names"}
    return subprocess.run(
        [*map(str, command), *(word for option in options.items() for word in option)],
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )


def test_api_conforms_to_its_document(stack: Stack[Any], tmp_path: Path, counter: Counter) -> None:
    """Generated requests of one caller cause no failure, and the Jobs of another caller do not change."""
    with Api(stack, "bob") as bob:
        for name in ("a", "train-1", "0"):
            bob.submit("team-b", name=name).raise_for_status()
        before = uids(bob)

        result = run(stack, tmp_path / "report.json")
        report: dict[str, Any] = json.loads((tmp_path / "report.json").read_text())
        counter.count(report["test_cases"]["generated"])

        assert result.returncode == 0, result.stdout[-10_000:] + result.stderr[-2_000:]
        assert uids(bob) == before != set()
    assert (report["complete"], report["failures"], report["errors"]) == (True, [], [])
    assert report["operations"]["tested"] == sum(map(len, json.loads(DOCUMENT.read_text())["paths"].values()))
    assert report["test_cases"]["generated"] >= MIN_CASES
    submitted = report["valid_rates"]["POST /jobs"].values()
    assert sum(phase["accepted"] for phase in submitted) >= MIN_SUBMISSIONS
