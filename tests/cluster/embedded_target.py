"""The embedded cluster as a target of the contract: made-up tokens name identities, as certificates do elsewhere."""

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
    """An embedded cluster whose pods run for *run_seconds*; runs within `with`."""

    def __init__(self, workdir: Path, run_seconds: float) -> None:
        self._authority = workdir / "embedded-ca.crt"
        self._identities: dict[str, Identity] = {}
        self.cluster = EmbeddedCluster(self._identity, run_seconds)

    def __enter__(self) -> Self:
        """Itself, once it answers."""
        self.cluster.__enter__()
        self._authority.write_text(self.cluster.ca_pem, "utf-8")
        self.admin = self.client("admin", [MASTERS])
        return self

    def __exit__(self, *_: object) -> None:
        """Stops it."""
        self.admin.close()
        self.cluster.__exit__(*_)

    def client(self, user: str, groups: Sequence[str]) -> JsonClient:
        """A client whose token says *user* of *groups*. Whoever asked for it closes it."""
        token = secrets.token_hex()
        self._identities[token] = Identity(user, tuple(groups))
        return JsonClient(self.cluster.url, self._authority, headers=[("Authorization", f"Bearer {token}")])

    def apply(self, documents: Iterable[Document]) -> None:
        """Creates or merges the objects, as an administrator."""
        self.cluster.apply(documents)

    def remove(self, documents: Iterable[Document]) -> None:
        """Deletes the objects, as an administrator."""
        for document in documents:
            kind, metadata = BY_NAME[document["apiVersion"], document["kind"]], document["metadata"]
            root = f"/apis/{kind.api_version}" if kind.group else "/api/v1"
            space = f"/namespaces/{metadata['namespace']}" if kind.namespaced else ""
            self.admin.delete(f"{root}{space}/{kind.plural}/{metadata['name']}")

    def _identity(self, token: str) -> Identity:
        try:
            return self._identities[token]
        except KeyError:
            raise PermissionError("nobody's token") from None
