"""Files of the repository that have to agree with each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from infra.packaging.bundle_contents import REPLACED

ROOT = Path(__file__).parents[2]


class TestGate:
    """`.ci/run` and GitHub's workflow."""

    def test_run_the_same_targets(self) -> None:
        """A target that one of them gains is not forgotten in the other."""
        workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
        jobs = workflow["jobs"]["gate"]["strategy"]["matrix"]["include"]
        gate = re.findall(r"\bmake ([a-z-]+)", (ROOT / ".ci/run").read_text("utf-8"))

        assert sorted(target for job in jobs for target in job["targets"].split()) == sorted(gate)


class TestSecurityPolicy:
    """SECURITY.md."""

    @pytest.mark.parametrize("file", REPLACED)
    def test_names_what_the_zip_replaces(self, file: str) -> None:
        """An auditor of the zip finds every file that differs from the released packages."""
        assert f"`{file}`" in (ROOT / "SECURITY.md").read_text("utf-8")
