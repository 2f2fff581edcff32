"""The bill of materials of the zip, as CycloneDX: which release of which package a Lambda loads.

The same requirements make the same bytes. The hashes of the releases stand in requirements.txt, and were checked.
"""

from __future__ import annotations

import json
import re
import uuid
from importlib.metadata import version
from typing import Any

from chalicelib import __version__
from infra import slim
from infra.docs_assets import SWAGGER_UI

JsonObject = dict[str, Any]

NAME = "researcher-rest-api"
SPECIFICATION = "1.6"

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def bill_of_materials(locked: str) -> JsonObject:
    """What of the *locked* requirements is shipped, and whose files the documentation page has."""
    shipped = [*_PINNED.findall(slim.kept_requirements(locked)), (SWAGGER_UI, version(SWAGGER_UI))]
    components = [_package(name, release) for name, release in sorted(shipped)]
    ours = {"type": "application", "name": NAME, "version": __version__, "bom-ref": NAME}
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": SPECIFICATION,
        "version": 1,
        "metadata": {"component": ours},
        "components": components,
        "dependencies": [{"ref": NAME, "dependsOn": [one["bom-ref"] for one in components]}],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(document))
    return {**document, "serialNumber": f"urn:uuid:{serial}"}


def _package(name: str, release: str) -> dict[str, str]:
    purl = f"pkg:pypi/{name.lower().replace('_', '-')}@{release}"
    return {"type": "library", "name": name, "version": release, "purl": purl, "bom-ref": purl}
