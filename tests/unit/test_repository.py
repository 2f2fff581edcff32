"""Files of the repository that have to agree with each other."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from infra.packaging.bundle_contents import REPLACED
from tests.support.scripted_server import unused_url

ROOT = Path(__file__).parents[2]


class TestGate:
    """`.ci/run` and GitHub's workflow."""

    def test_run_the_same_targets(self) -> None:
        """A target that one of them gains is not forgotten in the other."""
        workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
        jobs = workflow["jobs"]["gate"]["strategy"]["matrix"]["include"]
        gate = re.findall(r"\bmake ([a-z-]+)", (ROOT / ".ci/run").read_text("utf-8"))

        assert sorted(target for job in jobs for target in job["targets"].split()) == sorted(gate)


def outside_make() -> dict[str, str]:
    """Return the environment without what `make test` passes on to a `make` that it starts."""
    return {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}


class TestMakefile:
    """The commands for developers."""

    def test_help_lists_all(self) -> None:
        """Every command has a line that says what it does; a shell expands nothing in it."""
        makefile = (ROOT / "Makefile").read_text("utf-8")
        commands = set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split())

        printed = subprocess.run(
            ["make", "help"], cwd=ROOT, env=outside_make(), check=True, capture_output=True, text=True
        )

        lines = [line.split(maxsplit=2) for line in printed.stdout.splitlines()]
        assert {command for _, command, _ in lines} == commands
        assert not re.search(r"\$\(", printed.stdout)

    def test_without_a_network(self, tmp_path: Path) -> None:
        """If the packages cannot be downloaded, one sentence says what to check, below the steps so far."""
        ready = tmp_path / "venv" / "ready"
        unreachable = {"PIP_INDEX_URL": unused_url(), "PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1"}
        command = ["make", f"VENV={ready.parent}", f"PYTHON={sys.executable}", str(ready)]

        failed = subprocess.run(
            command, cwd=ROOT, env=outside_make() | unreachable, check=False, capture_output=True, text=True
        )

        sentence, end = failed.stderr.strip().splitlines()
        assert "network connection" in sentence
        assert str(ready.parent / "install.log") in sentence
        assert end.startswith("make: ***")
        assert [line.partition(":")[0] for line in failed.stdout.splitlines()] == ["1 of 3", "2 of 3"]
        assert not ready.exists()


class TestSecurityPolicy:
    """SECURITY.md."""

    @pytest.mark.parametrize("file", REPLACED)
    def test_names_what_the_zip_replaces(self, file: str) -> None:
        """An auditor of the zip finds every file that differs from the released packages."""
        assert f"`{file}`" in (ROOT / "SECURITY.md").read_text("utf-8")
