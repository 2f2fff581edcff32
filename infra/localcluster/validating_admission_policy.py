"""The one admission policy that base/ brings, by heart: the embedded API reads no policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.adapters.kubernetes.impersonation import PREFLIGHT_USER
from infra.localcluster.kinds import POD
from infra.localcluster.status_errors import forbidden

if TYPE_CHECKING:
    from infra.localcluster.api_request import ApiRequest
    from infra.localcluster.identity import Identity

_NAME = "researcher-preflight"
_DENIED = f"ValidatingAdmissionPolicy '{_NAME}' with binding '{_NAME}' denied request: "
_WHY = f"{PREFLIGHT_USER} may only try to create pods; send dryRun=All"
_READS = ("get", "list", "watch")
"""Admission is asked about writes alone."""


def check(who: Identity, asked: ApiRequest) -> None:
    """Refusal 403 when the preflight's user writes anything but a pod in a dry run."""
    tries = asked.verb == "create" and asked.kind is POD and not asked.subresource and asked.dry_run
    if who.user == PREFLIGHT_USER and asked.verb not in _READS and not tries:
        raise forbidden(asked.kind.resource, asked.body.get("metadata", {}).get("name", asked.name), _DENIED + _WHY)
