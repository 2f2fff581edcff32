"""Check what only the functions can see: the token issuers, the cluster's role, and their own rights on the cluster.

1. The keys of each token issuer are fetched, except those that the configuration has.
2. The cluster's role is assumed again, which checks its trust policy and the ExternalId.
3. The cluster returns the groups of this identity, which checks the network, TLS, the token and the access entry.
4. Without impersonation headers the cluster must refuse to list Jobs.
5. The users and groups of the API, and those of the Projects in the event, are impersonated.

Nothing is changed. A check that depends on one that failed is skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from chalicelib.domain.errors import ResearcherError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

CheckName = Literal["issuer", "role", "cluster", "access_entry", "own_rights", "impersonation"]
Outcome = Literal["ok", "failed", "skipped"]

API_GROUP = "researcher-api"
"""The group in the access entry, to which infra/kubernetes/base grants the API's rights."""
USERS = ("researcher:api", "researcher:preflight")
JANITOR = "researcher:janitor"


class Check(msgspec.Struct, frozen=True):
    """The outcome of one check; *why* has codes of the request log, *missing* are names that the cluster lacks."""

    name: CheckName
    outcome: Outcome
    why: str | None = None
    missing: list[str] = []


class OwnIdentity(Protocol):
    """The port to the cluster."""

    def groups(self) -> frozenset[str]:
        """Return the Kubernetes groups of this identity."""

    def may_list_jobs(self) -> bool:
        """Return whether all Jobs are listed without impersonation."""

    def may_impersonate(self, user: str, group: str | None = None) -> bool:
        """Return whether the API may impersonate *user*, with *group*."""


class Ports(msgspec.Struct, frozen=True):
    """What the checks use; each raises a ResearcherError."""

    fetch_keys: Sequence[Callable[[], object]]
    """One for each token issuer."""
    assume_role: Callable[[], object]
    cluster: OwnIdentity


def self_check(groups: Iterable[str], ports: Ports) -> list[Check]:
    """Return the outcome of each check; *groups* are the Kubernetes groups of the Projects."""
    checks = [_try("issuer", *ports.fetch_keys), _try("role", ports.assume_role)]
    own: set[str] = set()
    checks.append(_skip_unless(checks[-1], "cluster", lambda: own.update(ports.cluster.groups())))
    reached = checks[-1]
    checks.append(_needs(reached, "access_entry", lambda: {API_GROUP} - own))
    entered = checks[-1]
    checks.append(
        _needs(reached, "own_rights", lambda: {"impersonation only"} if ports.cluster.may_list_jobs() else ())
    )
    checks.append(_needs(entered, "impersonation", lambda: _not_impersonated(groups, ports.cluster)))
    return checks


def _try(name: CheckName, *actions: Callable[[], object]) -> Check:
    """Return a check that fails if one of *actions* does, with the reason of each."""
    reasons = [reason for reason in map(_reason, actions) if reason]
    return Check(name, "failed", "; ".join(reasons)) if reasons else Check(name, "ok")


def _reason(action: Callable[[], object]) -> str:
    try:
        action()
    except ResearcherError as error:
        return error.why or error.code
    return ""


def _skip_unless(needed: Check, name: CheckName, action: Callable[[], object]) -> Check:
    return _try(name, action) if needed.outcome == "ok" else Check(name, "skipped")


def _needs(needed: Check, name: CheckName, missing: Callable[[], Iterable[str]]) -> Check:
    """Return a check that fails if names are *missing*, and is skipped unless *needed* was successful."""
    found: list[str] = []
    check = _skip_unless(needed, name, lambda: found.extend(sorted(missing())))
    return msgspec.structs.replace(check, outcome="failed", missing=found) if found else check


def _not_impersonated(groups: Iterable[str], cluster: OwnIdentity) -> set[str]:
    users = {user for user in USERS if not cluster.may_impersonate(user)}
    return users | {group for group in {JANITOR, *groups} if not cluster.may_impersonate(USERS[0], group)}
