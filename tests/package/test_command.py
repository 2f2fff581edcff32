"""`python -m infra.package`: what a platform engineer runs before a deployment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from infra.package import BUNDLE, SBOM, TEMPLATE, main, stage_names

if TYPE_CHECKING:
    from pathlib import Path


class TestCommand:
    """The command."""

    @pytest.fixture(autouse=True)
    def without_aws(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """A machine that knows no account, no region and no credentials."""
        for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    def test_writes_template_zip_and_bill(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Side by side, as the template names the zip; it says where, and warns when there is no bytecode."""
        code = main(["--stage", "dev", "--out", str(tmp_path / "new" / "dev")])

        written = tmp_path / "new" / "dev"
        told = capsys.readouterr()
        template = json.loads((written / TEMPLATE).read_text(encoding="utf-8"))
        assert code == 0
        assert sorted(path.name for path in written.iterdir()) == sorted([BUNDLE, SBOM, TEMPLATE])
        assert template["Resources"]["ListJobs"]["Properties"]["CodeUri"] == f"./{BUNDLE}"
        assert str(written / TEMPLATE) in told.out
        assert ("no bytecode" in told.err) == (b".cpython-313.pyc" not in (written / BUNDLE).read_bytes())

    def test_knows_its_stages(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A stage that nobody configured is refused with those that are."""
        with pytest.raises(SystemExit) as refused:
            main(["--stage", "nowhere", "--out", "unused"])

        assert refused.value.code == 2
        assert all(stage in capsys.readouterr().err for stage in stage_names())
