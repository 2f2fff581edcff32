"""The parts of an embedded cluster, without its server and its threads."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from infra.localcluster.admission import Admission
from infra.localcluster.api import Api
from infra.localcluster.authentication import Authentication
from infra.localcluster.identity import MASTERS, Identity
from infra.localcluster.kinds import NAMESPACE
from infra.localcluster.rbac import Rbac
from infra.localcluster.registry import Registry
from infra.localcluster.store import Store

if TYPE_CHECKING:
    from infra.local.wire import Headers

ADMIN: list[tuple[str, str]] = [("Authorization", "Bearer admin")]


def _review(token: str) -> Identity:
    if token != "admin":
        raise PermissionError(token)
    return Identity("admin", (MASTERS,))


@dataclass
class Parts:
    """A store with the namespace `team`, its registry and its API."""

    store: Store = field(default_factory=Store)

    def __post_init__(self) -> None:
        """Create the parts and the namespace."""
        self.registry = Registry(self.store, Admission(self.store))
        rbac = Rbac(self.store)
        self.api = Api(self.store, self.registry, rbac, Authentication(_review, rbac))
        self.registry.create(NAMESPACE, "", {"metadata": {"name": "team"}})

    def request(
        self, method: str, target: str, body: bytes = b"", headers: Headers | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Return status and document of the API's response to an administrator, or to the caller of *headers*."""
        response = self.api.answer(method, target, ADMIN if headers is None else headers, body)
        return response.status, json.loads(response.body)


@pytest.fixture
def parts() -> Parts:
    """Return new parts."""
    return Parts()
