"""Schemathesis against the API by its own document: every check it has, as schemathesis.toml tells."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from infra.local.kubernetes.kinds import JOB
from tests.api import Api, token

if TYPE_CHECKING:
    from infra.local.stack import Stack

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = 60
"""For each operation in each of the phases."""
ENOUGH = 1000


def uids(stack: Stack, project: str) -> list[str]:
    """The Jobs that the cluster has in *project*."""
    return [job["metadata"]["uid"] for job in stack.cluster.find(JOB, f"researcher-{project}")]


def test_keeps_what_the_document_promises(stack: Stack) -> None:
    """A thousand made-up requests of one caller: no failure, and another caller's Jobs are as they were."""
    with Api(stack, "bob") as bob:
        for name in ("a", "train-1", "0"):
            bob.submit("team-b", name=name)
    before = uids(stack, "team-b")

    url, authorization = f"{stack.base_url}/openapi.json", f"Authorization: Bearer {token(stack, 'alice')}"
    command = [str(Path(sys.executable).parent / "st"), "run", url, "-H", authorization]
    told = subprocess.run(
        [*command, "--seed", "1", "--max-examples", str(EXAMPLES)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )

    assert told.returncode == 0, told.stdout[-10_000:]
    generated, passed = map(int, re.findall(r"(\d+) generated, (\d+) passed", told.stdout)[0])
    assert generated == passed >= ENOUGH
    assert uids(stack, "team-b") == before != []
