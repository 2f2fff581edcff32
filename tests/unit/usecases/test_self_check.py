"""What only the functions can see of a deployment: which checks fail, and which are skipped then."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import pytest

from chalicelib.domain.errors import ClusterUnavailable, CredentialsUnavailable, Forbidden, IssuerUnavailable
from chalicelib.usecases.self_check import API_GROUP, JANITOR, USERS, Check, Ports, self_check

GROUPS = ("researcher:team-a", "researcher:team-b")


@dataclass
class Cluster:
    """A cluster whose API is in *own* groups, and may impersonate *allowed*; *error* is raised by each request."""

    own: frozenset[str] = frozenset({API_GROUP, "system:authenticated"})
    allowed: set[str] = field(default_factory=lambda: {*USERS, JANITOR, *GROUPS})
    lists_jobs: bool = False
    error: Exception | None = None

    def groups(self) -> frozenset[str]:
        """Return the groups."""
        if self.error:
            raise self.error
        return self.own

    def may_list_jobs(self) -> bool:
        """Return whether it may list Jobs by itself."""
        return self.lists_jobs

    def may_impersonate(self, user: str, group: str | None = None) -> bool:
        """Return whether user and group are allowed."""
        return {user, group or user} <= self.allowed


def ok() -> None:
    """Succeed."""


def failing(error: Exception) -> None:
    """Raise *error*."""
    raise error


def run(cluster: Cluster, **ports: Exception) -> dict[str, Check]:
    """Return the checks by name; *ports* fail with an error."""
    keys, role = (partial(failing, each) if each else ok for each in map(ports.get, ("keys", "role")))
    return {each.name: each for each in self_check(GROUPS, Ports([ok, keys], role, cluster))}


def outcomes(checks: dict[str, Check]) -> dict[str, str]:
    """Return the outcomes that are not ok."""
    return {name: check.outcome for name, check in checks.items() if check.outcome != "ok"}


def test_all_checks_hold() -> None:
    """Each of the six checks is made."""
    checks = run(Cluster())

    assert outcomes(checks) == {}
    assert len(checks) == 6


@pytest.mark.parametrize(
    ("cluster", "ports", "expected"),
    [
        pytest.param(Cluster(), {"keys": IssuerUnavailable("x")}, {"issuer": "failed"}, id="issuer"),
        pytest.param(
            Cluster(),
            {"role": CredentialsUnavailable("x")},
            {
                "role": "failed",
                "cluster": "skipped",
                "access_entry": "skipped",
                "own_rights": "skipped",
                "impersonation": "skipped",
            },
            id="role",
        ),
        pytest.param(
            Cluster(error=ClusterUnavailable("x")),
            {},
            {"cluster": "failed", "access_entry": "skipped", "own_rights": "skipped", "impersonation": "skipped"},
            id="cluster",
        ),
        pytest.param(
            Cluster(own=frozenset({"system:authenticated"})),
            {},
            {"access_entry": "failed", "impersonation": "skipped"},
            id="access entry",
        ),
        pytest.param(Cluster(lists_jobs=True), {}, {"own_rights": "failed"}, id="own rights"),
        pytest.param(Cluster(allowed={*USERS, *GROUPS}), {}, {"impersonation": "failed"}, id="janitor"),
    ],
)
def test_what_depends_on_a_failed_check_is_skipped(
    cluster: Cluster, ports: dict[str, Exception], expected: dict[str, str]
) -> None:
    """The checks that cannot be made are skipped, so that the first failure is the cause; the others are made."""
    assert outcomes(run(cluster, **ports)) == expected


def test_failures_say_why() -> None:
    """The reason of the request log is passed on; without one, the code of the error."""
    error = ClusterUnavailable("x")
    error.add_note("tls_verification")

    assert run(Cluster(error=error))["cluster"].why == "tls_verification"
    assert run(Cluster(error=Forbidden("x")))["cluster"].why == "forbidden"


def test_missing_groups_are_named() -> None:
    """Each identity that may not be impersonated is named, in alphabetical order."""
    checks = run(Cluster(allowed={USERS[0], JANITOR, GROUPS[0]}))

    assert checks["impersonation"].missing == [USERS[1], GROUPS[1]]
