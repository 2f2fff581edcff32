"""The bill of materials: what is in the zip, and nothing else."""

from __future__ import annotations

import json
import re
import zipfile
from email import message_from_bytes
from typing import TYPE_CHECKING, Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from chalicelib import __version__
from infra.packaging.bundle import REQUIREMENTS
from infra.packaging.docs_assets import SWAGGER_UI
from infra.packaging.sbom import bill_of_materials

if TYPE_CHECKING:
    from pathlib import Path

LOCKED = REQUIREMENTS.read_text("utf-8")


@pytest.fixture
def bill() -> dict[str, Any]:
    """That of the locked requirements."""
    return bill_of_materials(LOCKED)


def normal(name: str) -> str:
    """*name* as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def hashes_of(name: str) -> set[str]:
    """The hashes of the locked package *name*."""
    block = re.search(rf"^{name}(\[\w+\])?==.*(\n +--hash=.*)+", LOCKED, re.MULTILINE)
    assert block
    return set(re.findall(r"sha256:\w+", block[0]))


class TestBill:
    """One document."""

    def test_is_what_the_zip_holds(self, bill: dict[str, Any], archive_here: Path) -> None:
        """By the metadata of the packages in it, and Swagger UI, which is there without its package."""
        with zipfile.ZipFile(archive_here) as archive:
            names = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
            inside = [message_from_bytes(archive.read(name)) for name in names]

        found = {(normal(one["name"]), one["version"]) for one in bill["components"] if one["name"] != SWAGGER_UI}
        assert found == {(normal(one["Name"]), one["Version"]) for one in inside}
        assert SWAGGER_UI in {one["name"] for one in bill["components"]}

    def test_names_each_as_scanners_look_for_it(self, bill: dict[str, Any]) -> None:
        """By a package URL, which is unique here."""
        purls = [one["purl"] for one in bill["components"]]

        assert "pkg:pypi/pyjwt@" in " ".join(purls)
        assert len(set(purls)) == len(purls)
        assert all(re.fullmatch(r"pkg:pypi/[a-z0-9-.]+@[0-9][A-Za-z0-9.+!]*", purl) for purl in purls)

    def test_is_valid(self, bill: dict[str, Any]) -> None:
        """By the schema of CycloneDX 1.6."""
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None

    def test_has_licences_and_hashes(self, bill: dict[str, Any]) -> None:
        """The hashes are those that the installation checks; a package of which none is locked has no hash."""
        (pyjwt,) = (one for one in bill["components"] if one["name"] == "pyjwt")
        (files,) = pyjwt["externalReferences"]

        assert pyjwt["licenses"] == [{"license": {"id": "MIT"}}]
        assert {f"sha256:{one['content']}" for one in files["hashes"]} == hashes_of("pyjwt")
        assert all(one.get("licenses") for one in bill["components"])

    def test_depends_on_all_of_it(self, bill: dict[str, Any]) -> None:
        """The application is ours, and knows its version; the form is CycloneDX 1.6, without a time or a number."""
        (depends,) = (one for one in bill["dependencies"] if "dependsOn" in one)
        other = bill_of_materials(LOCKED.replace("msgspec==", "msgspec==9"))

        assert depends["ref"] == bill["metadata"]["component"]["bom-ref"]
        assert set(depends["dependsOn"]) == {one["bom-ref"] for one in bill["components"]}
        assert bill["metadata"]["component"]["version"] == __version__
        assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
        assert json.dumps(bill) == json.dumps(bill_of_materials(LOCKED))
        assert other["serialNumber"] != bill["serialNumber"]
        assert bill["serialNumber"].startswith("urn:uuid:")
