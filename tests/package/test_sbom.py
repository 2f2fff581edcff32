"""The software bill of materials: exactly the packages in the zip."""

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
    """Return the bill of materials of the locked requirements."""
    return bill_of_materials(LOCKED)


def normalize(name: str) -> str:
    """Return *name* in the normalized form of PyPI."""
    return re.sub(r"[-_.]+", "-", name).lower()


def hashes_of(name: str) -> set[str]:
    """Return the hashes of the locked package *name*."""
    block = re.search(rf"^{name}(\[\w+\])?==.*(\n +--hash=.*)+", LOCKED, re.MULTILINE)
    assert block
    return set(re.findall(r"sha256:\w+", block[0]))


class TestBill:
    """The document."""

    def test_has_the_packages_of_the_zip(self, bill: dict[str, Any], archive_here: Path) -> None:
        """The components are the packages with metadata in the zip, and Swagger UI, which has none there."""
        with zipfile.ZipFile(archive_here) as archive:
            names = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
            packaged = [message_from_bytes(archive.read(name)) for name in names]

        components = {
            (normalize(each["name"]), each["version"]) for each in bill["components"] if each["name"] != SWAGGER_UI
        }
        assert components == {(normalize(each["Name"]), each["Version"]) for each in packaged}
        assert SWAGGER_UI in {each["name"] for each in bill["components"]}

    def test_has_package_urls(self, bill: dict[str, Any]) -> None:
        """Each component has a unique package URL for scanners."""
        purls = [each["purl"] for each in bill["components"]]

        assert "pkg:pypi/pyjwt@" in " ".join(purls)
        assert len(set(purls)) == len(purls)
        assert all(re.fullmatch(r"pkg:pypi/[a-z0-9-.]+@[0-9][A-Za-z0-9.+!]*", purl) for purl in purls)

    def test_is_valid(self, bill: dict[str, Any]) -> None:
        """The document conforms to the schema of CycloneDX 1.6."""
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None

    def test_has_licences_and_hashes(self, bill: dict[str, Any]) -> None:
        """The hashes are those that the installation verifies; components without locked files have none."""
        (pyjwt,) = (each for each in bill["components"] if each["name"] == "pyjwt")
        (files,) = pyjwt["externalReferences"]

        assert pyjwt["licenses"] == [{"license": {"id": "MIT"}}]
        assert {f"sha256:{each['content']}" for each in files["hashes"]} == hashes_of("pyjwt")
        assert all(each.get("licenses") for each in bill["components"])

    def test_application_depends_on_all_components(self, bill: dict[str, Any]) -> None:
        """The application depends on all components; equal contents give an equal document."""
        (depends,) = (each for each in bill["dependencies"] if "dependsOn" in each)
        changed = bill_of_materials(LOCKED.replace("msgspec==", "msgspec==9"))

        assert depends["ref"] == bill["metadata"]["component"]["bom-ref"]
        assert set(depends["dependsOn"]) == {each["bom-ref"] for each in bill["components"]}
        assert bill["metadata"]["component"]["version"] == __version__
        assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
        assert json.dumps(bill) == json.dumps(bill_of_materials(LOCKED))
        assert changed["serialNumber"] != bill["serialNumber"]
        assert bill["serialNumber"].startswith("urn:uuid:")
