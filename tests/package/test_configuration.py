"""The configuration in the zip: checked by `make package`, and what the packaged functions read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.configuration import PACKAGED, load
from infra.localcluster.certificates import server_identity
from infra.packaging.bundle import ONLY_HERE
from infra.packaging.stage_configuration import ConfigurationError, packaged
from infra.packaging.template import main
from tests.package.bundle_process import run_in_bundle
from tests.support.configuration import AUTHORITY

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, Any]


@pytest.fixture(scope="module")
def authority() -> str:
    """Return a certificate authority."""
    return server_identity().ca_pem


def written(folder: Path, text: str | bytes | Json) -> Path:
    """Write *text*, or a document as JSON, and return the path."""
    path = folder / "dev.json"
    content = json.dumps(text) if isinstance(text, dict) else text
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


class TestPackaged:
    """What `make package` writes."""

    def test_is_what_functions_decode(self, tmp_path: Path, authority: str) -> None:
        """The functions read every field; what only editors need is left out."""
        document = {"$schema": "https://example.com/schema.json", "clusterAuthorities": [authority]}
        path = tmp_path / "packaged.json"
        path.write_bytes(packaged(written(tmp_path, document)))

        assert load(str(path)).cluster_authorities == (authority,)
        assert b"schema" not in path.read_bytes()

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("{", "not strict JSON"),
            ('{"clusterAuthorities": ["a"], "clusterAuthorities": ["b"]}', "duplicate keys"),
            (b'{"clusterAuthorities": ["\xff"]}', "UTF-8"),
            ("{} // comment", "comments"),
            ({}, "clusterAuthorities"),
            ({"clusterAuthorities": []}, r"\$\.clusterAuthorities"),
            ({"clusterAuthorities": ["CANARY"]}, r"^clusterAuthorities\[0\] must be a certificate in PEM"),
            ({"clusterAuthorities": [AUTHORITY]}, r"^clusterAuthorities\[0\] must be a certificate in PEM"),
            ({"clusterAuthorities": [AUTHORITY], "issuer": "CANARY"}, "unknown field `issuer`"),
        ],
        ids=str,
    )
    def test_invalid_file(self, tmp_path: Path, text: str | bytes | Json, reason: str) -> None:
        """It is refused before anything is deployed, and the message says where and why, without values."""
        with pytest.raises(ConfigurationError, match=reason) as error:
            packaged(written(tmp_path, text))

        assert "CANARY" not in str(error.value)


class TestCommand:
    """`python -m infra.packaging --configuration`."""

    @pytest.mark.parametrize("text", ["{}", None], ids=["invalid", "missing"])
    def test_invalid_file_writes_nothing(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None
    ) -> None:
        """The command fails, and names the file."""
        file = written(tmp_path, text) if text else tmp_path / "none.json"

        with pytest.raises(SystemExit) as error:
            main(["--stage", "dev", "--out", str(tmp_path / "out"), "--configuration", str(file)])

        assert error.value.code == 1
        assert f"{file} is not a valid configuration: " in capsys.readouterr().err
        assert not (tmp_path / "out").exists()


def test_zip_without_it(unzipped: Path) -> None:
    """Its functions say what is missing; a file that is only in the checkout is not packaged."""
    code = (
        "from chalicelib.configuration import load\n"
        "from chalicelib.settings import InvalidSettingError\n"
        "try: load('')\nexcept InvalidSettingError as error: print(error)"
    )

    assert "package the stage with its configuration" in run_in_bundle(unzipped, code)
    assert PACKAGED.name in ONLY_HERE
