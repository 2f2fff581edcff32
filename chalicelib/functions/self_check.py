"""self_check: invoked by the operator's `make doctor`, reports what only the functions of the stack can see."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import msgspec
from chalice.app import Blueprint

from chalicelib import configuration
from chalicelib.adapters.aws import eks_tokens
from chalicelib.adapters.kubernetes import cluster
from chalicelib.adapters.kubernetes.own_identity import OwnIdentity
from chalicelib.adapters.oidc.bearer_tokens import key_set
from chalicelib.domain.caller import PREFIX
from chalicelib.domain.errors import MalformedRequest
from chalicelib.domain.parsing.strict_json import field_error
from chalicelib.runtime.event_handler import Event, on_event
from chalicelib.settings import settings
from chalicelib.usecases.self_check import Check, Ports, self_check

if TYPE_CHECKING:
    from collections.abc import Sequence

routes = Blueprint(__name__)

MAX_GROUPS = 500
Group = Annotated[str, msgspec.Meta(pattern=f"^{PREFIX}[!-~]([ -~]*[!-~])?\\Z", max_length=256)]


class SelfCheckEvent(msgspec.Struct, forbid_unknown_fields=True):
    """The event: the Kubernetes groups of the Projects, which the operator has read from their RoleBindings."""

    groups: Annotated[list[Group], msgspec.Meta(max_length=MAX_GROUPS)] = []


@routes.lambda_function(name="self_check")
@on_event
def handle(event: Event) -> list[Check]:
    """Run all checks; one that fails is part of the result and not an error."""
    groups, connection = _groups(event.document), cluster.connect(settings())
    # New key sets, so that no cached key hides a failure. An issuer whose keys are given is sent no request.
    keys = [key_set(issuer) for issuer in configuration.token_issuers(settings())]
    ports = Ports(
        [partial(each.find, "", event.deadline) for each in keys],
        lambda: eks_tokens.connect(settings()).token(event.deadline, fresh=True),
        OwnIdentity(connection, event.deadline),
    )
    checks = self_check(groups, ports)
    event.counts["Failed"] = sum(check.outcome == "failed" for check in checks)
    return checks


def _groups(document: object) -> Sequence[str]:
    try:
        return msgspec.convert(document, SelfCheckEvent).groups
    except msgspec.ValidationError as error:
        message = 'The event of a self check must be {"groups": ["researcher:<group>", ...]} or {}.'
        raise MalformedRequest(message, (field_error(error),)) from error
