"""The errors of requests to the API server that got no usable response, with the reason for the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.adapters.http.connection_failures import certificate_problem
from chalicelib.adapters.kubernetes.api_request import ApiResponse, NoResponse
from chalicelib.domain.errors import (
    REPORT_TO_OPERATORS,
    ClusterUnavailable,
    CredentialsUnavailable,
    DeadlineExceeded,
    NodeUnavailable,
    ResearcherError,
)
from chalicelib.domain.failure_reasons import FailureReason, note_reason, status_reason

if TYPE_CHECKING:
    from chalicelib.deadline import Deadline

NODE_RETRY_AFTER = 30

_NODE_UNAVAILABLE = "The node of the pod does not respond, so its log cannot be read. Try again later."
_TOO_LATE = "The cluster did not respond in time. Try again."


def unavailable(response: ApiResponse | NoResponse, deadline: Deadline, retry_after: int) -> ResearcherError:
    """Return the error after the last attempt."""
    error: ResearcherError
    if not deadline.remaining:
        error = DeadlineExceeded(_TOO_LATE)
    elif isinstance(response, NoResponse):
        error = ClusterUnavailable("The cluster cannot be reached. Try again later.", retry_after=retry_after)
    else:
        error = ClusterUnavailable("The cluster is overloaded. Try again later.", retry_after=retry_after)
    return note_reason(error, _reason(response))


def node_unavailable(response: ApiResponse | NoResponse) -> NodeUnavailable:
    """Return the error of a request that the API server forwarded to a node."""
    return note_reason(NodeUnavailable(_NODE_UNAVAILABLE, retry_after=NODE_RETRY_AFTER), _reason(response))


def not_sent() -> DeadlineExceeded:
    """Return the error of a request whose deadline was over before it was sent."""
    return note_reason(DeadlineExceeded(_TOO_LATE), FailureReason.DEADLINE_EXCEEDED)


def token_rejected() -> CredentialsUnavailable:
    """Return the error of a request whose token, and the one after it, the cluster did not accept."""
    error = CredentialsUnavailable(f"The cluster does not accept this API's token. {REPORT_TO_OPERATORS}")
    return note_reason(error, status_reason(401))


def untrusted_certificate(error: BaseException, reason: FailureReason) -> ClusterUnavailable:
    """Return the error for a cluster whose certificate cannot be verified, without Retry-After."""
    detail = f"The TLS certificate of the cluster {certificate_problem(error)}. {REPORT_TO_OPERATORS}"
    return note_reason(ClusterUnavailable(detail), reason)


def _reason(response: ApiResponse | NoResponse) -> str:
    return response.reason if isinstance(response, NoResponse) else status_reason(response.status)
