"""The reviews by which the cluster tells whoever asks what they may do."""

from __future__ import annotations

import msgspec

from chalicelib.adapters.kubernetes.api_client import ApiRequest, ApiResponse
from chalicelib.adapters.kubernetes.errors import decode_or_raise
from chalicelib.domain.kubernetes.rbac import PolicyRule  # noqa: TC001 - msgspec reads the annotations at run time

_GROUP = "authorization.k8s.io/v1"


class _Allowed(msgspec.Struct):
    allowed: bool = False


class _AccessReview(msgspec.Struct):
    status: _Allowed = msgspec.field(default_factory=_Allowed)


class _Rules(msgspec.Struct, rename="camel"):
    resource_rules: list[PolicyRule] = []


class _RulesReview(msgspec.Struct):
    status: _Rules


def access_review(namespace: str, verb: str, group: str, resource: str) -> ApiRequest:
    """Asks whether one may do that; `is_allowed` reads the answer."""
    asked = {"namespace": namespace, "verb": verb, "group": group, "resource": resource}
    return _review("SelfSubjectAccessReview", {"resourceAttributes": asked})


def is_allowed(response: ApiResponse) -> bool:
    """The verdict in the *answer* to an access review."""
    return decode_or_raise(response, _AccessReview).status.allowed


def rules_review(namespace: str) -> ApiRequest:
    """Asks for all that one may do in *namespace*; `rules` reads the answer."""
    return _review("SelfSubjectRulesReview", {"namespace": namespace})


def rules(response: ApiResponse) -> list[PolicyRule]:
    """The rules in the *answer* to a rules review."""
    return decode_or_raise(response, _RulesReview).status.resource_rules


def _review(kind: str, spec: dict[str, object]) -> ApiRequest:
    body = {"apiVersion": _GROUP, "kind": kind, "spec": spec}
    return ApiRequest("POST", f"/apis/{_GROUP}/{kind.lower()}s", body=msgspec.json.encode(body))
