"""Kubeconfig files, for kubectl and for the webhooks of the API server."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.certificates import KeyPair


def write_kubeconfig(path: Path, url: str, ca_pem: str, identity: KeyPair | None = None) -> Path:
    """Write a kubeconfig to *path* for the server *url* with authority *ca_pem*, and optionally a client *identity*."""
    user = {} if identity is None else _client_certificate(identity)
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "clusters": [
            {"name": "test", "cluster": {"server": url, "certificate-authority-data": _base64(ca_pem.encode())}}
        ],
        "users": [{"name": "test", "user": user}],
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(content), "utf-8")
    return path


def _client_certificate(identity: KeyPair) -> dict[str, str]:
    return {
        "client-certificate-data": _base64(identity.certificate.read_bytes()),
        "client-key-data": _base64(identity.key.read_bytes()),
    }


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
