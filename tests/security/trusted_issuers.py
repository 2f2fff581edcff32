"""A deployment that trusts three issuers, each with a Project of its own."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from infra.kubernetes.project import project_manifests
from infra.local.issuer import AUDIENCE, Application, Issuer
from infra.local.local_stack import clear_caches
from tests.support.configuration import configuration_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_stack import Stack

SHARED = "team-of-all"
"""A Project of a group of each issuer."""


class Trusted(NamedTuple):
    """A trusted issuer, the name of its prefix, and its Project."""

    issuer: Issuer
    name: str

    @property
    def prefix(self) -> str:
        """The prefix of its groups and subjects."""
        return f"{self.name}:"

    @property
    def project(self) -> str:
        """The Project of its group team-a."""
        return f"team-{self.name}"

    def configuration(self, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Return its entry in the configuration, with *fields*."""
        return {"issuer": self.issuer.url, "audiences": [AUDIENCE], "prefix": self.prefix, **fields}


@contextmanager
def trusted(stack: Stack[Any], *entries: dict[str, Any]) -> Iterator[None]:
    """Deploy *entries* as the trusted issuers, and then the former ones again."""
    with pytest.MonkeyPatch.context() as patch:
        file = configuration_file(**stack.configuration | {"tokenIssuers": entries})
        patch.setenv("CONFIGURATION_FILE", file)
        clear_caches()
        yield
    clear_caches()


@contextmanager
def three_issuers(stack: Stack[Any]) -> Iterator[tuple[Trusted, ...]]:
    """Deploy three trusted issuers with their Projects; the first is that of *stack*."""
    with ExitStack() as open_issuers:
        found = [Trusted(stack.issuer, "one")]
        for name in ("two", "three"):
            issuer = Issuer({"alice": Application("secret", ("team-a",)), "bob": Application("secret", ("team-b",))})
            issuer.start()
            open_issuers.callback(issuer.close)
            found.append(Trusted(issuer, name))
        for each in found:
            _create_project(stack, each.project, f"{each.prefix}team-a")
        _create_project(stack, SHARED, *(f"{each.prefix}team-a" for each in found))
        open_issuers.enter_context(trusted(stack, *(each.configuration() for each in found)))
        yield tuple(found)


def _create_project(stack: Stack[Any], project: str, *groups: str) -> None:
    stack.cluster.apply(project_manifests(project, groups, gpus=16))
