"""The bill of materials of the zip, in CycloneDX format: each package with its version, licence and hashes on PyPI.

The document is reproducible, and therefore has no timestamp.
"""

from __future__ import annotations

import json
import re
import uuid
from importlib.metadata import metadata, version
from typing import TYPE_CHECKING, Any

from cyclonedx.contrib.hash.factories import HashTypeFactory
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from chalicelib import __version__
from infra.packaging import bundle_contents
from infra.packaging.docs_assets import SWAGGER_UI

if TYPE_CHECKING:
    from collections.abc import Iterable

JsonObject = dict[str, Any]

NAME = "researcher-rest-api"

_LOCKED = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)==(?P<release>[^\s;\\]+)(?P<hashes>(?:.*\\\n +--hash=\S+)*)", re.MULTILINE
)
_HASH = re.compile(r"--hash=(\S+)")


def bill_of_materials(locked: str) -> JsonObject:
    """Return the bill of materials of the bundled requirements in *locked* and of the documentation page."""
    packages = [
        _package(found["name"], found["release"], _HASH.findall(found["hashes"]))
        for found in _LOCKED.finditer(bundle_contents.bundled_requirements(locked))
    ]
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_URL, locked + __version__))
    bom.metadata.component = Component(name=NAME, version=__version__, type=ComponentType.APPLICATION, bom_ref=NAME)
    bom.components.update([*packages, _package(SWAGGER_UI, version(SWAGGER_UI), ())])
    bom.register_dependency(bom.metadata.component, bom.components)
    document: JsonObject = json.loads(JsonV1Dot6(bom).output_as_string())
    del document["metadata"]["timestamp"]
    return document


def _package(name: str, release: str, hashes: Iterable[str]) -> Component:
    purl = PackageURL("pypi", None, name.lower().replace("_", "-"), release)
    package_metadata = metadata(name)
    files = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(f"https://pypi.org/project/{name}/{release}/#files"),
        hashes=[HashTypeFactory().from_composite_str(each) for each in hashes],
    )
    licence = next(
        (package_metadata[field] for field in ("License-Expression", "License") if field in package_metadata), ""
    )
    return Component(
        name=name,
        version=release,
        purl=purl,
        bom_ref=str(purl),
        # A package may have the full text of its licence in this field.
        licenses=[LicenseFactory().make_from_string(licence)] if licence and "\n" not in licence else (),
        external_references=[files],
    )
