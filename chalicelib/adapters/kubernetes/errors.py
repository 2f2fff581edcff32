"""Translation of the API server's error responses to ResearcherError.

The messages of admission and validation are passed on to the caller. Those of RBAC are not, because they contain the
API's own identity.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import msgspec

from chalicelib.domain.errors import (
    REPORT_TO_OPERATORS,
    ClusterUnavailable,
    CredentialsUnavailable,
    FieldError,
    Forbidden,
    InvalidJob,
    PageTokenExpired,
    PreconditionFailed,
    QuotaExceeded,
    RefusedByCluster,
    ResearcherError,
    pointer_step,
)
from chalicelib.domain.failure_reasons import FailureReason, note_reason, status_reason
from chalicelib.domain.kubernetes import lenient_decoding
from chalicelib.domain.kubernetes.jobs import KubernetesObject

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.adapters.kubernetes.api_request import ApiResponse

Found = TypeVar("Found")

OK = (200, 201, 202)
MAX_TEXT = 1024
RETRY_AFTER = 5
"""Seconds, for an unexpected response without Retry-After."""

FORBIDDEN = (
    "The Project does not exist, or you do not have permission for this operation in it. "
    "GET /projects lists your Projects; ask your platform engineers for a RoleBinding."
)

_UNREADABLE = (ValueError, RecursionError)
_DENIAL = re.compile(
    r"admission webhook \"[^\"]*\" denied the request"
    r"|ValidatingAdmissionPolicy '[^']*' with binding '[^']*' denied request"
)
_NO_DRY_RUN = re.compile(r"admission webhook \"[^\"]*\" does not support dry run")
_STEP = re.compile(r"\[([^\]]*)\]|([^.\[\]]+)")

_BY_STATUS: dict[int, tuple[type[ResearcherError], str]] = {
    401: (
        CredentialsUnavailable,
        f"The cluster does not accept this API's token. {REPORT_TO_OPERATORS}",
    ),
    404: (Forbidden, FORBIDDEN),
    409: (PreconditionFailed, "The Job was changed, or deleted and created again. Get it before you try again."),
    410: (PageTokenExpired, "The page token has expired. Start again without it."),
}


class ResponseTooLarge(ClusterUnavailable):
    """The response exceeds MAX_RESPONSE; *start* is the part that was read."""

    def __init__(self, start: bytes) -> None:
        super().__init__("An object in the Project is too large to be read.")
        self.start = start
        note_reason(self, FailureReason.RESPONSE_TOO_LARGE)


class StatusCause(KubernetesObject):
    """One invalid field."""

    field: str | None = None
    message: str | None = None


class StatusDetails(KubernetesObject):
    """The details of a Status; *name* is that of the object which the error is about."""

    name: str | None = None
    causes: list[StatusCause] = []


class Status(KubernetesObject):
    """Kubernetes' error object."""

    reason: str | None = None
    message: str | None = None
    details: StatusDetails | None = None


def decode_or_raise(response: ApiResponse, kind: type[Found]) -> Found:
    """Decode the object in *response*; raise the error of any other response."""
    return _decode_or_raise(response, lambda body: msgspec.json.decode(body, type=kind))


def decode_object_or_raise(response: ApiResponse, kind: type[Found]) -> Found:
    """Decode like `decode_or_raise`, but leave out malformed parts, as users of the Project may write this object."""
    return _decode_or_raise(response, lambda body: lenient_decoding.decode(body, kind))


def _decode_or_raise(response: ApiResponse, decode: Callable[[bytes], Found]) -> Found:
    if response.status not in OK:
        raise error_from(response)
    try:
        return decode(response.body)
    except _UNREADABLE as error:
        message = "The cluster's response was cut off or is not JSON. Try again."
        unavailable = ClusterUnavailable(message, retry_after=RETRY_AFTER)
        raise note_reason(unavailable, FailureReason.INVALID_RESPONSE) from error


def error_from(response: ApiResponse) -> ResearcherError:
    """Return the ResearcherError for an error *response*; its note has the reason if that is not the caller's."""
    error = _error_from(response)
    if refuses_impersonation(response):
        note_reason(error, FailureReason.IMPERSONATION_FORBIDDEN)
    elif error.status >= HTTPStatus.INTERNAL_SERVER_ERROR or not response.body.lstrip().startswith(b"{"):
        note_reason(error, status_reason(response.status))  # the response of a proxy is HTML or text
    return error


def _error_from(response: ApiResponse) -> ResearcherError:
    status = _status(response.body)
    if is_denied(response):
        return _rejected(status.message or "")
    match response.status:
        case 400 | 422:
            return InvalidJob("The cluster rejected the Job; `errors` lists the invalid fields.", _fields(status))
        case 403:
            return _forbidden(status.message or "")
    if response.status not in _BY_STATUS:
        message = "The cluster sent an unexpected response. Try again later."
        return ClusterUnavailable(message, retry_after=RETRY_AFTER)
    error, detail = _BY_STATUS[response.status]
    return error(detail)


def already_exists(response: ApiResponse) -> bool:
    """Return whether *response* says that the name exists already; a 409 can also be a conflict with another write."""
    return response.status == HTTPStatus.CONFLICT and _status(response.body).reason == "AlreadyExists"


def is_denied(response: ApiResponse) -> bool:
    """Return whether an admission webhook or a ValidatingAdmissionPolicy denied the request, with whatever status."""
    return response.status not in OK and _DENIAL.search(_status(response.body).message or "") is not None


def is_about_another(response: ApiResponse, name: str) -> bool:
    """Return whether the error is about another object than *name*, such as the node of a pod."""
    details = _status(response.body).details
    return details is not None and details.name not in {None, "", name}


def cannot_dry_run(response: ApiResponse) -> bool:
    """Return whether a dry run failed because an admission webhook does not support dry runs."""
    return _NO_DRY_RUN.search(_status(response.body).message or "") is not None


def refuses_impersonation(response: ApiResponse) -> bool:
    """Return whether the API may not impersonate this user or group, as opposed to what the caller may not do."""
    return response.status == HTTPStatus.FORBIDDEN and "cannot impersonate" in (_status(response.body).message or "")


def _forbidden(message: str) -> ResearcherError:
    """Return the error for a 403: of RBAC, whose message is not passed on, of the quota, or of admission control."""
    _, separator, reason = message.partition(" is forbidden: ")
    if not separator or "cannot impersonate" in message or reason.startswith("User "):
        return Forbidden(FORBIDDEN)
    if reason.startswith("exceeded quota"):
        return QuotaExceeded(f"The Job does not fit in the Project's quota: {reason[:MAX_TEXT]}")
    return RefusedByCluster(f"The cluster rejected the Job: {reason[:MAX_TEXT]}")


def _rejected(message: str) -> RefusedByCluster:
    """Return the error for a denial by a webhook or a policy with its message, whatever its status."""
    reason = message.partition(" is forbidden: ")[2] or message
    return RefusedByCluster(f"The cluster rejected the Job: {reason[:MAX_TEXT]}")


def _fields(status: Status) -> tuple[FieldError, ...]:
    causes = status.details.causes if status.details else []
    fields = tuple(FieldError(_pointer(cause.field or ""), (cause.message or "")[:MAX_TEXT]) for cause in causes)
    return fields or (FieldError("", (status.message or "")[:MAX_TEXT]),)


def _pointer(field: str) -> str:
    """Return the JSON pointer (RFC 6901) for a Kubernetes *field*: /containers/0/image for containers[0].image."""
    return "".join(pointer_step(key or name) for key, name in _STEP.findall(field))


def _status(body: bytes) -> Status:
    try:
        return msgspec.json.decode(body, type=Status)
    except _UNREADABLE:
        return Status()
