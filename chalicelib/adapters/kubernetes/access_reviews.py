"""SelfSubjectAccessReview, SelfSubjectRulesReview and SelfSubjectReview: which permissions and groups a caller has."""

from __future__ import annotations

import msgspec

from chalicelib.adapters.kubernetes.api_request import ApiRequest, ApiResponse
from chalicelib.adapters.kubernetes.errors import decode_or_raise
from chalicelib.domain.kubernetes.rbac import PolicyRule  # noqa: TC001 - msgspec reads the annotations at run time

_AUTHORIZATION, _AUTHENTICATION = "authorization.k8s.io/v1", "authentication.k8s.io/v1"


class _Allowed(msgspec.Struct):
    allowed: bool = False


class _AccessReview(msgspec.Struct):
    status: _Allowed = msgspec.field(default_factory=_Allowed)


class _UserInfo(msgspec.Struct):
    groups: list[str] = []


class _Identity(msgspec.Struct, rename="camel"):
    user_info: _UserInfo


class _IdentityReview(msgspec.Struct):
    status: _Identity


class _Rules(msgspec.Struct, rename="camel"):
    resource_rules: list[PolicyRule] = []


class _RulesReview(msgspec.Struct):
    status: _Rules


def access_review(namespace: str, verb: str, group: str, resource: str) -> ApiRequest:
    """Return the request for a review of one permission; `is_allowed` reads the response."""
    attributes = {"namespace": namespace, "verb": verb, "group": group, "resource": resource}
    return _review("SelfSubjectAccessReview", {"resourceAttributes": attributes})


def is_allowed(response: ApiResponse) -> bool:
    """Return the result in the *response* to an access review."""
    return decode_or_raise(response, _AccessReview).status.allowed


def rules_review(namespace: str) -> ApiRequest:
    """Return the request for all permissions in *namespace*; `rules` reads the response."""
    return _review("SelfSubjectRulesReview", {"namespace": namespace})


def rules(response: ApiResponse) -> list[PolicyRule]:
    """Return the rules in the *response* to a rules review."""
    return decode_or_raise(response, _RulesReview).status.resource_rules


def identity_review() -> ApiRequest:
    """Return the request for the identity that the cluster sees; `groups` reads the response."""
    return _review("SelfSubjectReview", {}, _AUTHENTICATION)


def groups(response: ApiResponse) -> frozenset[str]:
    """Return the Kubernetes groups in the *response* to an identity review."""
    return frozenset(decode_or_raise(response, _IdentityReview).status.user_info.groups)


def _review(kind: str, spec: dict[str, object], group: str = _AUTHORIZATION) -> ApiRequest:
    body = {"apiVersion": group, "kind": kind} | ({"spec": spec} if spec else {})
    return ApiRequest("POST", f"/apis/{group}/{kind.lower()}s", body=msgspec.json.encode(body))
