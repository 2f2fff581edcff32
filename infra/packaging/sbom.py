"""The bill of materials of the zip, as CycloneDX: each package with its release, its licence and its hashes on PyPI.

The same requirements make the same bytes, so that the document has no timestamp.
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
    """Return what of the *locked* requirements is shipped, and the package of the documentation page's files."""
    shipped = [
        _package(found["name"], found["release"], _HASH.findall(found["hashes"]))
        for found in _LOCKED.finditer(bundle_contents.kept_requirements(locked))
    ]
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_URL, locked + __version__))
    bom.metadata.component = Component(name=NAME, version=__version__, type=ComponentType.APPLICATION, bom_ref=NAME)
    bom.components.update([*shipped, _package(SWAGGER_UI, version(SWAGGER_UI), ())])
    bom.register_dependency(bom.metadata.component, bom.components)
    document: JsonObject = json.loads(JsonV1Dot6(bom).output_as_string())
    del document["metadata"]["timestamp"]
    return document


def _package(name: str, release: str, hashes: Iterable[str]) -> Component:
    purl = PackageURL("pypi", None, name.lower().replace("_", "-"), release)
    told = metadata(name)
    files = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(f"https://pypi.org/project/{name}/{release}/#files"),
        hashes=[HashTypeFactory().from_composite_str(one) for one in hashes],
    )
    licence = next((told[field] for field in ("License-Expression", "License") if field in told), "")
    return Component(
        name=name,
        version=release,
        purl=purl,
        bom_ref=str(purl),
        # A package may put the whole text of its licence where the name should be.
        licenses=[LicenseFactory().make_from_string(licence)] if licence and "\n" not in licence else (),
        external_references=[files],
    )
