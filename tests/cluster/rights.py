"""Rights as tests ask for them, and the identities that ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.cluster.json_client import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _pytest.mark import ParameterSet

    from tests.cluster.json_client import Header, JsonClient

OURS, OTHERS = "researcher-contract-rbac", "researcher-contract-rbac-other"
"""The namespaces of two Projects."""
SUBMITTERS, VIEWERS, UPLOADS = "rbac-submitters", "rbac-viewers", "s3-rbac-uploads"
"""The groups of the first."""
OTHER_SUBMITTERS = "rbac-others"
"""The group of the second."""
REVIEWS = "/apis/authorization.k8s.io/v1"


class Ask(NamedTuple):
    """A right that is asked for: `delete jobs.batch/x` in a namespace, or everywhere."""

    verb: str
    resource: str
    namespace: str = ""

    @property
    def attributes(self) -> dict[str, str]:
        """The same in an access review's words: `resource.group:subresource/name`."""
        resource, _, name = self.resource.partition("/")
        resource, _, subresource = resource.partition(":")
        resource, _, group = resource.partition(".")
        asked = {"verb": self.verb, "group": group, "resource": resource, "namespace": self.namespace}
        return asked | {"subresource": subresource, "name": name}


def rows(*asks: str) -> list[ParameterSet]:
    """Test cases for *asks* such as `get pods @ namespace`."""
    found = []
    for ask in asks:
        right, _, namespace = ask.partition(" @ ")
        verb, resource = right.split(" ")
        found.append(pytest.param(Ask(verb, resource, namespace), id=ask))
    return found


def as_caller(*groups: str, subject: str = "alice") -> list[Header]:
    """The headers by which the API asks for a caller of *groups*."""
    return [
        ("Impersonate-User", "researcher:api"),
        ("Impersonate-Extra-Subject", f"researcher:{subject}"),
        *(("Impersonate-Group", f"researcher:{group}") for group in groups),
    ]


def may(client: JsonClient, ask: Ask, headers: Sequence[Header] = ()) -> bool:
    """Whether the API server allows *ask* to *client*, or to whom *headers* name."""
    spec = {"resourceAttributes": ask.attributes}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
    answer = client.request("POST", f"{REVIEWS}/selfsubjectaccessreviews", review, headers)
    return bool(answer["status"]["allowed"])


def refusal(client: JsonClient, path: str, headers: Sequence[Header] = ()) -> Refused:
    """What the API server says to a GET of *path* that it refuses."""
    with pytest.raises(Refused) as caught:
        client.request("GET", path, headers=headers)
    return caught.value
