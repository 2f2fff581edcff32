"""`python -m infra.packaging`: what a platform engineer runs before a deployment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from infra.packaging import bundle
from infra.packaging.template import BUNDLE, SBOM, TEMPLATE, main, stage_names

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
        """Side by side, as the template names the zip; it says where."""
        code = main(["--stage", "dev", "--out", str(tmp_path / "new" / "dev")])

        written = tmp_path / "new" / "dev"
        told = capsys.readouterr()
        template = json.loads((written / TEMPLATE).read_text(encoding="utf-8"))
        assert code == 0
        assert sorted(path.name for path in written.iterdir()) == sorted([BUNDLE, SBOM, TEMPLATE])
        assert template["Resources"]["ListJobs"]["Properties"]["CodeUri"] == f"./{BUNDLE}"
        assert str(written / TEMPLATE) in told.out

    def test_refuses_to_ship_without_bytecode(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """On a machine that has another Python only; nothing is written that could be deployed."""
        monkeypatch.setattr(bundle, "HERE", bundle.Target("3.11"))
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setenv("HOME", str(tmp_path))
        for name in ("PYENV_ROOT", "ASDF_DATA_DIR", "MISE_DATA_DIR", "UV_PYTHON_INSTALL_DIR", "XDG_DATA_HOME"):
            monkeypatch.delenv(name, raising=False)

        with pytest.raises(SystemExit) as refused:
            main(["--stage", "dev", "--out", str(tmp_path / "dev")])

        assert refused.value.code == 1
        assert capsys.readouterr().err.startswith("Python 3.13, the functions' version, is needed to compile")
        assert list(tmp_path.iterdir()) == []

    def test_knows_its_stages(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A stage that nobody configured is refused with those that are."""
        with pytest.raises(SystemExit) as refused:
            main(["--stage", "nowhere", "--out", "unused"])

        assert refused.value.code == 2
        assert all(stage in capsys.readouterr().err for stage in stage_names())
