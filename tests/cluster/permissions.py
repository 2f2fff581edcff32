"""Permissions in test cases, and the identities that they are checked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.cluster.json_client import ErrorResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _pytest.mark import ParameterSet

    from tests.cluster.json_client import Header, JsonClient

NAMESPACE, OTHER_NAMESPACE = "researcher-contract-rbac", "researcher-contract-rbac-other"
"""The namespaces of two Projects."""
SUBMITTERS, VIEWERS, UPLOADS = "rbac-submitters", "rbac-viewers", "s3-rbac-uploads"
"""The groups of the first Project."""
OTHER_SUBMITTERS = "rbac-others"
"""The group of the second Project."""
REVIEWS = "/apis/authorization.k8s.io/v1"


class Permission(NamedTuple):
    """A permission: `delete jobs.batch/x` in a namespace, or in all namespaces."""

    verb: str
    resource: str
    namespace: str = ""

    @property
    def attributes(self) -> dict[str, str]:
        """The resource attributes of an access review; a resource is `resource.group:subresource/name`."""
        resource, _, name = self.resource.partition("/")
        resource, _, subresource = resource.partition(":")
        resource, _, group = resource.partition(".")
        attributes = {"verb": self.verb, "group": group, "resource": resource, "namespace": self.namespace}
        return attributes | {"subresource": subresource, "name": name}


def permission_cases(*permissions: str) -> list[ParameterSet]:
    """Return test cases for permissions such as `get pods @ namespace`."""
    cases = []
    for permission in permissions:
        action, _, namespace = permission.partition(" @ ")
        verb, resource = action.split(" ")
        cases.append(pytest.param(Permission(verb, resource, namespace), id=permission))
    return cases


def as_caller(*groups: str, subject: str = "alice") -> list[Header]:
    """Return the headers with which the API impersonates a caller of *groups*."""
    return [
        ("Impersonate-User", "researcher:api"),
        ("Impersonate-Extra-Subject", f"researcher:{subject}"),
        *(("Impersonate-Group", f"researcher:{group}") for group in groups),
    ]


def is_allowed(client: JsonClient, permission: Permission, headers: Sequence[Header] = ()) -> bool:
    """Return whether the API server allows *permission* to *client*, or to the identity in *headers*."""
    spec = {"resourceAttributes": permission.attributes}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
    response = client.request("POST", f"{REVIEWS}/selfsubjectaccessreviews", review, headers)
    return bool(response["status"]["allowed"])


def error_of_get(client: JsonClient, path: str, headers: Sequence[Header] = ()) -> ErrorResponse:
    """Send a GET of *path*, which must fail, and return the error."""
    with pytest.raises(ErrorResponse) as caught_error:
        client.request("GET", path, headers=headers)
    return caught_error.value
