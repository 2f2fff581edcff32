"""The base class of the adapters to Kubernetes: one cluster, one impersonated caller, one deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.adapters.kubernetes.errors import error_from, is_denied
from chalicelib.domain.names import ProjectName, namespace_of

if TYPE_CHECKING:
    from chalicelib.adapters.http.bounded_body import BodyReader
    from chalicelib.adapters.kubernetes.api_request import ApiRequest, ApiResponse
    from chalicelib.adapters.kubernetes.cluster import Cluster
    from chalicelib.deadline import Deadline
    from chalicelib.domain.caller import Caller


class CallerSession:
    """Sends requests as *caller* until *deadline*."""

    def __init__(self, cluster: Cluster, caller: Caller, deadline: Deadline) -> None:
        self._cluster = cluster
        self._caller = caller
        self._deadline = deadline

    def _send(self, request: ApiRequest, read: BodyReader | None = None) -> ApiResponse:
        response = self._cluster.send_as(self._caller, request, self._deadline, read)
        if is_denied(response):
            raise error_from(response)
        return response


def jobs_path(project: ProjectName) -> str:
    """Return the path of the Project's Jobs."""
    return f"/apis/batch/v1/namespaces/{namespace_of(project)}/jobs"


def core_path(project: ProjectName, resource: str) -> str:
    """Return the path of the Project's objects of a core resource, such as pods."""
    return f"/api/v1/namespaces/{namespace_of(project)}/{resource}"
