"""The ValidatingAdmissionPolicy `researcher-preflight` of base/, hard-coded: the embedded API does not evaluate CEL."""

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
_MESSAGE = f"{PREFLIGHT_USER} may only create pods in dry runs; send dryRun=All"
_READS = ("get", "list", "watch")
"""Admission covers writes only."""


def check(who: Identity, request: ApiRequest) -> None:
    """Raise StatusError 403 if the preflight user writes anything but a pod in a dry run."""
    is_allowed = request.verb == "create" and request.kind is POD and not request.subresource and request.dry_run
    if who.user == PREFLIGHT_USER and request.verb not in _READS and not is_allowed:
        raise forbidden(
            request.kind.resource, request.body.get("metadata", {}).get("name", request.name), _DENIED + _MESSAGE
        )
