"""Impersonation: the headers with which the API server authorizes a request as the caller.

* The API's own identity has no permission for Jobs, so the cluster rejects a request without these headers.
* Impersonate-User is always `researcher:api`, which has no permissions either. The caller's groups have them
  (Impersonate-Group), and the caller's name goes to the audit log (Impersonate-Extra-Subject).
* The cluster rejects a request with a group that the API may not impersonate. So a SelfSubjectRulesReview lists the
  groups that it may impersonate, and only those are sent. The list is cached for GROUPS_TTL_SECONDS.
* The headers are built from the Caller alone, never from headers of the request.
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
"""The user that is impersonated for all callers; it has no permissions."""
PREFLIGHT_USER = "researcher:preflight"
"""The user that creates pods in dry runs and may do nothing else; see infra/kubernetes/base/preflight.yaml."""
GROUPS_TTL_SECONDS = 300
UNKNOWN_GROUP_TTL_SECONDS = 10
"""The TTL of the list for a caller with a group that is not in it, as the group may have been added since."""

_REVIEW = rules_review("default")


def preflight_headers(caller: Caller) -> list[tuple[str, str]]:
    """Return the headers of a dry run for *caller*, without the caller's permissions."""
    return [("Impersonate-User", PREFLIGHT_USER), ("Impersonate-Extra-Subject", caller.user)]


class Impersonation:
    """Caches which groups the API's own identity may impersonate."""

    def __init__(self, api: KubernetesApi, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._clock = clock
        self._groups: frozenset[str] = frozenset()
        self._read_at = float("-inf")

    def headers(self, caller: Caller, deadline: Deadline, *, fresh: bool = False) -> list[tuple[str, str]]:
        """Return the headers for *caller*; *fresh* reads the groups again, after the cluster rejected one of them."""
        groups = sorted(self.groups(caller, deadline, fresh=fresh))
        lines = [("Impersonate-User", USER), ("Impersonate-Extra-Subject", caller.user)]
        return lines + [("Impersonate-Group", group) for group in groups]

    def groups(self, caller: Caller, deadline: Deadline, *, fresh: bool = False) -> frozenset[str]:
        """Return the groups of *caller* that the API may impersonate: those with access to a Project."""
        # An unknown group may be that of a new Project, or not exist in this cluster.
        ttl = GROUPS_TTL_SECONDS if caller.kubernetes_groups <= self._groups else UNKNOWN_GROUP_TTL_SECONDS
        if fresh or self._clock() - self._read_at >= ttl:
            self._groups = self._read(deadline)
            self._read_at = self._clock()
        return caller.kubernetes_groups & self._groups

    def _read(self, deadline: Deadline) -> frozenset[str]:
        own_rules = rules(self._api.send(_REVIEW, (), deadline))
        impersonation = (rule for rule in own_rules if "impersonate" in rule.verbs and "groups" in rule.resources)
        # A rule without resourceNames allows all groups; only groups that a rule names are ever sent.
        return frozenset(name for rule in impersonation for name in rule.resource_names if name.startswith(PREFIX))
