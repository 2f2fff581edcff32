"""Configuration files of a deployment."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infra.localcluster.certificates import server_identity

_FOLDER = TemporaryDirectory()
AUTHORITY = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
"""Looks like a certificate, and is none."""


@cache
def _authority() -> str:
    return server_identity().ca_pem


def configuration_file(**fields: Any) -> str:  # noqa: ANN401 - JSON
    """Return the path of a configuration with *fields*; the same path for the same fields."""
    text = json.dumps({"clusterAuthorities": [_authority()], **fields})
    path = Path(_FOLDER.name) / f"{hashlib.sha256(text.encode()).hexdigest()}.json"
    path.write_text(text, encoding="utf-8")
    return str(path)
