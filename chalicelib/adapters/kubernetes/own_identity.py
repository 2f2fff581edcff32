"""The identity of the API itself on the cluster: its groups, and whether it is limited to impersonation."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from chalicelib.adapters.kubernetes.access_reviews import groups, identity_review
from chalicelib.adapters.kubernetes.api_request import ApiRequest, parameters
from chalicelib.adapters.kubernetes.errors import error_from
from chalicelib.domain.errors import ClusterUnavailable, CredentialsUnavailable
from chalicelib.domain.failure_reasons import note_reason, status_reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.adapters.kubernetes.api_request import ApiResponse
    from chalicelib.adapters.kubernetes.cluster import Cluster
    from chalicelib.deadline import Deadline


class OwnIdentity:
    """Requests that the API sends as itself, or as one of the users that it impersonates."""

    def __init__(self, cluster: Cluster, deadline: Deadline) -> None:
        self._cluster = cluster
        self._deadline = deadline

    def groups(self) -> frozenset[str]:
        """Return the groups that the access entry gives to the API's role."""
        return groups(self._send(identity_review(), HTTPStatus.CREATED))

    def may_list_jobs(self) -> bool:
        """Return whether the cluster lists all Jobs for a request without impersonation headers."""
        request = ApiRequest("GET", "/apis/batch/v1/jobs", parameters(limit=1))
        return self._send(request, HTTPStatus.OK, HTTPStatus.FORBIDDEN).status == HTTPStatus.OK

    def may_impersonate(self, user: str, group: str | None = None) -> bool:
        """Return whether the API may impersonate *user*, with *group*; neither gets any other request."""
        headers = [("Impersonate-User", user), *([("Impersonate-Group", group)] if group else [])]
        response = self._send(identity_review(), HTTPStatus.CREATED, HTTPStatus.FORBIDDEN, headers=headers)
        return response.status == HTTPStatus.CREATED

    def _send(self, request: ApiRequest, *expected: int, headers: Iterable[tuple[str, str]] = ()) -> ApiResponse:
        """Return the response; ClusterUnavailable if its status is not one that a cluster has for this request."""
        response = self._cluster.send(request, self._deadline, headers)
        if response.status in expected:
            return response
        error = error_from(response)
        if isinstance(error, CredentialsUnavailable):
            raise error
        unexpected = ClusterUnavailable("The server of the cluster's endpoint does not respond as an API server.")
        raise note_reason(unexpected, status_reason(response.status))
