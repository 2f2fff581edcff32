"""The request for the log of a container, and the errors that it can have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.adapters.kubernetes.api_request import ApiRequest, parameters
from chalicelib.adapters.kubernetes.caller_session import core_path
from chalicelib.adapters.kubernetes.errors import error_from, is_about_another
from chalicelib.domain.errors import JobNotStarted, LogGone
from chalicelib.domain.job.logs import LOG_GONE, NODE_GONE

if TYPE_CHECKING:
    from chalicelib.adapters.kubernetes.api_request import ApiResponse
    from chalicelib.domain.job.logs import ContainerRun
    from chalicelib.domain.names import ProjectName


def log_request(project: ProjectName, run: ContainerRun, **options: str | int | None) -> ApiRequest:
    """Return the request for the log of *run*."""
    query = parameters(container=run.container, previous="true" if run.restarted else None, **options)
    return ApiRequest("GET", f"{core_path(project, 'pods')}/{run.pod}/log", query, is_proxied=True)


def require_log(response: ApiResponse, run: ContainerRun) -> bytes:
    """Return the body of the response; JobNotStarted or LogGone if there is no log."""
    match response.status:
        case 200 | 204:
            return response.body
        case 400:
            raise JobNotStarted("The container has not started yet, or was removed. Try again later.")
        case 404:
            # The API server reports the name of the missing node, although as that of a pod.
            raise LogGone(NODE_GONE if is_about_another(response, run.pod) else LOG_GONE)
    raise error_from(response)
