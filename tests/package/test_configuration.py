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

ISSUERS = [{"issuer": "https://issuer.example.com", "audiences": ["researcher"], "prefix": "a:"}]


def with_issuer(**fields: Any) -> Json:  # noqa: ANN401 - any JSON
    """Return a configuration with an issuer with *fields*."""
    return {"clusterAuthorities": [server_identity().ca_pem], "tokenIssuers": [{**ISSUERS[0], **fields}]}


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
            (
                {"clusterAuthorities": [AUTHORITY], "tokenIssuers": [{"issuer": "CANARY", "audiences": ["a"]}]},
                "https URL",
            ),
            ({"clusterAuthorities": [AUTHORITY], "tokenIssuers": [{**ISSUERS[0], "x": 1}]}, r"tokenIssuers\[0\]"),
            (with_issuer(authorities=["CANARY"]), r"^tokenIssuers\[0\].authorities\[0\] must be a certificate in PEM"),
            (with_issuer(authorities=[AUTHORITY]), r"^tokenIssuers\[0\].authorities\[0\] must be a certificate in PEM"),
            (with_issuer(keySet={"keys": [{"kid": "CANARY"}]}), r"^tokenIssuers\[0\]: keySet or authorities"),
            (with_issuer(keySet={"keys": [{"kid": "a", "d": "CANARY"}]}), "public keys only"),
            ({"clusterAuthorities": [AUTHORITY], "tokenIssuers": ISSUERS * 2}, "the same issuer twice"),
        ],
        ids=lambda value: "" if isinstance(value, dict) else str(value),
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


class TestCapacity:
    """What does not fit into the environment of a function, of 4 KiB."""

    def test_two_authorities_and_all_issuers(self, tmp_path: Path) -> None:
        """Two certificate authorities and the guide's eight issuers are one file, and a process reads all of it."""
        authorities = [server_identity().ca_pem for _ in range(2)]
        issuers = [
            {
                "issuer": f"https://issuer-{number}.example.com/realms/research",
                "audiences": ["researcher", f"api://{number}" * 8],
                "groupTemplate": "{repository_id}@{environment}",
                "prefix": f"issuer{number}:",
            }
            for number in range(8)
        ]
        document = {"clusterAuthorities": authorities, "tokenIssuers": issuers, "userPoolPrefix": "app:"}
        path = tmp_path / "packaged.json"
        path.write_bytes(packaged(written(tmp_path, document)))

        found = load(str(path))

        assert (len(found.cluster_authorities), len(found.token_issuers)) == (2, 8)
        assert path.stat().st_size > 2048


class TestUserPool:
    """The template of a stage with issuers of its own."""

    @pytest.mark.parametrize(
        ("fields", "default"),
        [
            ({}, "true"),
            ({"tokenIssuers": ISSUERS}, "false"),
            ({"tokenIssuers": ISSUERS, "userPoolPrefix": "app:"}, "true"),
        ],
        ids=["no issuers", "issuers", "both"],
    )
    def test_is_created_if_the_functions_trust_it(
        self, tmp_path: Path, authority: str, fields: Json, default: str
    ) -> None:
        """The stack has a user pool exactly if the configuration has a place for it."""
        file = written(tmp_path, {"clusterAuthorities": [authority], **fields})

        main(["--stage", "dev", "--out", str(tmp_path), "--configuration", str(file)])

        template = json.loads((tmp_path / "template.json").read_text("utf-8"))
        assert template["Parameters"]["OwnUserPool"]["Default"] == default


def test_zip_without_it(unzipped: Path) -> None:
    """Its functions say what is missing; a file that is only in the checkout is not packaged."""
    code = (
        "from chalicelib.configuration import load\n"
        "from chalicelib.settings import InvalidSettingError\n"
        "try: load('')\nexcept InvalidSettingError as error: print(error)"
    )

    assert "package the stage with its configuration" in run_in_bundle(unzipped, code)
    assert PACKAGED.name in ONLY_HERE
