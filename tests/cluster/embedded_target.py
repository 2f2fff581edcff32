"""The embedded cluster as a target of the contract tests; random tokens identify its users."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Self

from infra.localcluster.cluster import EmbeddedCluster
from infra.localcluster.identity import MASTERS, Identity
from infra.localcluster.kinds import BY_NAME
from tests.cluster.json_client import JsonClient

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tests.cluster.json_client import Document


class EmbeddedTarget:
    """An embedded cluster whose pods run for *run_seconds*; a context manager."""

    def __init__(self, workdir: Path, run_seconds: float) -> None:
        self._authority = workdir / "embedded-ca.crt"
        self._identities: dict[str, Identity] = {}
        self.cluster = EmbeddedCluster(self._identity, run_seconds)

    def __enter__(self) -> Self:
        """Start the cluster, and return the target when it is ready."""
        self.cluster.__enter__()
        self._authority.write_text(self.cluster.ca_pem, "utf-8")
        self.admin = self.client("admin", [MASTERS])
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the cluster."""
        self.admin.close()
        self.cluster.__exit__(*_)

    def client(self, user: str, groups: Sequence[str]) -> JsonClient:
        """Return a client with a token for *user* in *groups*; the caller closes it."""
        token = secrets.token_hex()
        self._identities[token] = Identity(user, tuple(groups))
        return JsonClient(self.cluster.url, self._authority, headers=[("Authorization", f"Bearer {token}")])

    def apply(self, documents: Iterable[Document]) -> None:
        """Create or merge the objects, as an administrator."""
        self.cluster.apply(documents)

    def remove(self, documents: Iterable[Document]) -> None:
        """Delete the objects, as an administrator."""
        for document in documents:
            kind, metadata = BY_NAME[document["apiVersion"], document["kind"]], document["metadata"]
            root = f"/apis/{kind.api_version}" if kind.group else "/api/v1"
            prefix = f"/namespaces/{metadata['namespace']}" if kind.namespaced else ""
            self.admin.delete(f"{root}{prefix}/{kind.plural}/{metadata['name']}")

    def _identity(self, token: str) -> Identity:
        try:
            return self._identities[token]
        except KeyError:
            raise PermissionError("unknown token") from None
