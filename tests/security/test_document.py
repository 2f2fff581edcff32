"""Schemathesis against the API by its own document: every check it has, as schemathesis.toml tells."""

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
"""For each operation in each of the phases: 60 make 3,000 requests in half a minute, 1,600 more than 20,000."""
ENOUGH = min(30 * EXAMPLES, 20_000)
ENOUGH_SUBMISSIONS = 100


def uids(bob: Api) -> set[str]:
    """The Jobs of bob's Project."""
    return {job["id"] for job in bob.ask("GET", "/jobs/team-b").raise_for_status().json()["data"]}


def run(stack: Stack[Any], report: Path) -> subprocess.CompletedProcess[str]:
    """Schemathesis as alice, on all operations; it writes *report*."""
    # From the file: of a document that it loaded by an operation, Schemathesis leaves that operation out.
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


def test_keeps_what_the_document_promises(stack: Stack[Any], tmp_path: Path, counter: Counter) -> None:
    """Thousands of made-up requests of one caller: no failure, and another caller's Jobs are as they were."""
    with Api(stack, "bob") as bob:
        for name in ("a", "train-1", "0"):
            bob.submit("team-b", name=name).raise_for_status()
        before = uids(bob)

        told = run(stack, tmp_path / "report.json")
        report: dict[str, Any] = json.loads((tmp_path / "report.json").read_text())
        counter.tried(report["test_cases"]["generated"])

        assert told.returncode == 0, told.stdout[-10_000:] + told.stderr[-2_000:]
        assert uids(bob) == before != set()
    assert (report["complete"], report["failures"], report["errors"]) == (True, [], [])
    assert report["operations"]["tested"] == sum(map(len, json.loads(DOCUMENT.read_text())["paths"].values()))
    assert report["test_cases"]["generated"] >= ENOUGH
    submitted = report["valid_rates"]["POST /jobs"].values()
    assert sum(phase["accepted"] for phase in submitted) >= ENOUGH_SUBMISSIONS
