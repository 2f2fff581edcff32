"""An embedded cluster's parts without its server and its threads."""

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
    """One store with one namespace, `team`, and what works on it."""

    store: Store = field(default_factory=Store)

    def __post_init__(self) -> None:
        """Puts them together."""
        self.writing = Registry(self.store, Admission(self.store))
        rbac = Rbac(self.store)
        self.api = Api(self.store, self.writing, rbac, Authentication(_review, rbac))
        self.writing.create(NAMESPACE, "", {"metadata": {"name": "team"}})

    def ask(
        self, method: str, target: str, body: bytes = b"", headers: Headers | None = None
    ) -> tuple[int, dict[str, Any]]:
        """The API's status and answer, asked as an administrator unless *headers* say otherwise."""
        reply = self.api.answer(method, target, ADMIN if headers is None else headers, body)
        return reply.status, json.loads(reply.body)


@pytest.fixture
def parts() -> Parts:
    """Fresh ones."""
    return Parts()
