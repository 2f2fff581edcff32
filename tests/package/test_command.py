"""`python -m infra.packaging`: the command that creates the artifacts of a deployment."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from infra.localcluster.certificates import server_identity
from infra.packaging import bundle
from infra.packaging.stage_configuration import packaged
from infra.packaging.template import BUNDLE, SBOM, TEMPLATE, main, stage_names

if TYPE_CHECKING:
    from pathlib import Path


class TestCommand:
    """The command."""

    @pytest.fixture(autouse=True)
    def without_aws(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """Remove the AWS account, region and credentials from the environment."""
        for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    def test_writes_template_zip_and_sbom(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """The three files are written side by side, and the command prints their path; the zip is configured."""
        file = tmp_path / "dev.json"
        file.write_text(json.dumps({"clusterAuthorities": [server_identity().ca_pem]}))
        options = ["--stage", "dev", "--out", str(tmp_path / "new" / "dev")]

        code = main([*options, "--configuration", str(file)])

        written = tmp_path / "new" / "dev"
        output = capsys.readouterr()
        template = json.loads((written / TEMPLATE).read_text(encoding="utf-8"))
        assert code == 0
        assert sorted(path.name for path in written.iterdir()) == sorted([BUNDLE, SBOM, TEMPLATE])
        assert template["Resources"]["ListJobs"]["Properties"]["CodeUri"] == f"./{BUNDLE}"
        assert zipfile.ZipFile(written / BUNDLE).read("chalicelib/configuration.json") == packaged(file)
        assert (str(written / TEMPLATE) in output.out, output.err) == (True, "")

    def test_fails_without_bytecode(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Without the Python of the functions, nothing is written."""
        monkeypatch.setattr(bundle, "HERE", bundle.Target("3.11"))
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setenv("HOME", str(tmp_path))
        for name in ("PYENV_ROOT", "ASDF_DATA_DIR", "MISE_DATA_DIR", "UV_PYTHON_INSTALL_DIR", "XDG_DATA_HOME"):
            monkeypatch.delenv(name, raising=False)

        with pytest.raises(SystemExit) as exit_error:
            main(["--stage", "dev", "--out", str(tmp_path / "dev")])

        assert exit_error.value.code == 1
        output = capsys.readouterr().err
        assert "Python 3.13, the functions' version, is needed to compile" in output
        assert "functions.zip has no configuration, so it cannot be deployed" in output
        assert list(tmp_path.iterdir()) == []

    def test_unknown_stage(self, capsys: pytest.CaptureFixture[str]) -> None:
        """An unknown stage is an error that lists the configured ones."""
        with pytest.raises(SystemExit) as exit_error:
            main(["--stage", "nowhere", "--out", "unused"])

        assert exit_error.value.code == 2
        assert all(stage in capsys.readouterr().err for stage in stage_names())
