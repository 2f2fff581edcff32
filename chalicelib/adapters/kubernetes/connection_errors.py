"""The errors of requests that got no usable response from the API server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.adapters.http.connection_failures import TLS_VERIFICATION, certificate_problem
from chalicelib.adapters.kubernetes.api_request import ApiResponse, NoResponse
from chalicelib.domain.errors import REPORT_TO_OPERATORS, ClusterUnavailable, DeadlineExceeded, ResearcherError

if TYPE_CHECKING:
    from chalicelib.deadline import Deadline


def last_failure(response: ApiResponse | NoResponse, deadline: Deadline, retry_after: int) -> ResearcherError:
    """Return the error after the last attempt; its note has the reason for the log."""
    error: ResearcherError
    if not deadline.remaining:
        error = DeadlineExceeded("The cluster did not respond in time. Try again.")
    elif isinstance(response, NoResponse):
        error = ClusterUnavailable("The cluster cannot be reached. Try again later.", retry_after=retry_after)
    else:
        error = ClusterUnavailable("The cluster is overloaded. Try again later.", retry_after=retry_after)
    error.add_note(response.reason if isinstance(response, NoResponse) else f"status_{response.status}")
    return error


def untrusted_certificate(error: BaseException) -> ClusterUnavailable:
    """Return the error for a cluster whose certificate cannot be verified, without Retry-After."""
    unavailable = ClusterUnavailable(
        f"The TLS certificate of the cluster {certificate_problem(error)}. {REPORT_TO_OPERATORS}"
    )
    unavailable.add_note(TLS_VERIFICATION)
    return unavailable
