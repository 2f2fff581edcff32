"""The headers by which the cluster takes a call as the caller's: made from the Caller, and from nothing else.

Our own identity owns no rights to Jobs, so a call without these headers is refused. One group that we may not
impersonate would refuse the whole call, so only those are sent that the cluster lists for us.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from chalicelib.adapters.kubernetes.access_reviews import rules, rules_review
from chalicelib.domain.caller import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.adapters.kubernetes.api_client import KubernetesApi
    from chalicelib.deadline import Deadline
    from chalicelib.domain.caller import Caller

USER = "researcher:api"
"""The one user we impersonate. It has no rights either: the groups have them, and the audit extra names the caller."""
PREFLIGHT_USER = "researcher:preflight"
"""Who tries to create pods in dry runs, and may do nothing else; see infra/kubernetes/base/preflight.yaml."""
GROUPS_TTL_SECONDS = 300
UNKNOWN_GROUP_TTL_SECONDS = 10
"""How long the list is kept from a caller with a group that is not in it."""

_REVIEW = rules_review("default")


def preflight_headers(caller: Caller) -> list[tuple[str, str]]:
    """The header lines for a dry run on behalf of *caller*, without any of the caller's rights."""
    return [("Impersonate-User", PREFLIGHT_USER), ("Impersonate-Extra-Subject", caller.user)]


class Impersonation:
    """Knows which groups our own identity may impersonate."""

    def __init__(self, api: KubernetesApi, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._clock = clock
        self._groups: frozenset[str] = frozenset()
        self._read_at = float("-inf")

    def headers(self, caller: Caller, deadline: Deadline, *, fresh: bool = False) -> list[tuple[str, str]]:
        """The header lines for *caller*; *fresh* reads our groups again, after the cluster refused some."""
        # A group we do not know may be a Project's that was made a moment ago, or nobody's on this cluster.
        kept = GROUPS_TTL_SECONDS if caller.kubernetes_groups <= self._groups else UNKNOWN_GROUP_TTL_SECONDS
        if fresh or self._clock() - self._read_at >= kept:
            self._groups = self._read(deadline)
            self._read_at = self._clock()
        groups = sorted(caller.kubernetes_groups & self._groups)
        lines = [("Impersonate-User", USER), ("Impersonate-Extra-Subject", caller.user)]
        return lines + [("Impersonate-Group", group) for group in groups]

    def _read(self, deadline: Deadline) -> frozenset[str]:
        listed = rules(self._api.send(_REVIEW, (), deadline))
        named = (rule for rule in listed if "impersonate" in rule.verbs and "groups" in rule.resources)
        # A rule without names would allow all groups; we never use more than the ones listed for us.
        return frozenset(name for rule in named for name in rule.resource_names if name.startswith(PREFIX))
