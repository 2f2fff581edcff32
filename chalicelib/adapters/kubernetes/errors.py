"""What the cluster refuses, in our errors. The cluster's reason stays readable; what it says of us stays inside."""

from __future__ import annotations

import re
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
from chalicelib.domain.kubernetes import lenient_decoding
from chalicelib.domain.kubernetes.jobs import KubernetesObject

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.adapters.kubernetes.api_client import ApiResponse

Found = TypeVar("Found")

OK = (200, 201, 202)
MAX_TEXT = 1024
RETRY_AFTER = 5
"""Seconds, after an answer that tells none and should not have come."""

FORBIDDEN = (
    "You may not do this in that Project, or there is no such Project. "
    "GET /projects lists yours; ask your platform engineers for a RoleBinding."
)

_UNREADABLE = (ValueError, RecursionError)
_WEBHOOK = "admission webhook "
_STEP = re.compile(r"\[([^\]]*)\]|([^.\[\]]+)")

_BY_STATUS: dict[int, tuple[type[ResearcherError], str]] = {
    401: (
        CredentialsUnavailable,
        f"The cluster does not accept this API's token. {REPORT_TO_OPERATORS}",
    ),
    404: (Forbidden, FORBIDDEN),
    409: (PreconditionFailed, "The Job has changed, or is another one by now. Get it again, then decide."),
    410: (PageTokenExpired, "The page token is too old. Start again without it."),
}


class ResponseTooLarge(ClusterUnavailable):
    """The answer is larger than anything that is read; *start* is what was read of it."""

    def __init__(self, start: bytes) -> None:
        super().__init__("An object of the Project is too large to be read.")
        self.start = start
        self.add_note("response_too_large")


class StatusCause(KubernetesObject):
    """One field the cluster refuses."""

    field: str | None = None
    message: str | None = None


class StatusDetails(KubernetesObject):
    """What a refusal is about."""

    causes: list[StatusCause] = []


class Status(KubernetesObject):
    """The cluster's own error document."""

    reason: str | None = None
    message: str | None = None
    details: StatusDetails | None = None


def decode_or_raise(response: ApiResponse, kind: type[Found]) -> Found:
    """The object in *answer*, or the error that it means."""
    return _decode_or_raise(response, lambda body: msgspec.json.decode(body, type=kind))


def decode_object_or_raise(response: ApiResponse, kind: type[Found]) -> Found:
    """The same of an object, or a list of objects, that the Project's users write: what is odd in it is left out."""
    return _decode_or_raise(response, lambda body: lenient_decoding.decode(body, kind))


def _decode_or_raise(response: ApiResponse, decode: Callable[[bytes], Found]) -> Found:
    if response.status not in OK:
        raise error_from(response)
    try:
        return decode(response.body)
    except _UNREADABLE as error:
        message = "The cluster's answer was cut off or is not JSON. Try again."
        raise ClusterUnavailable(message, retry_after=RETRY_AFTER) from error


def error_from(response: ApiResponse) -> ResearcherError:
    """The error that *answer* means."""
    status = _status(response.body)
    match response.status:
        case 400 | 422:
            return InvalidJob("The cluster refuses the Job; errors names its fields.", _fields(status))
        case 403:
            return _forbidden(status.message or "")
    if response.status not in _BY_STATUS:
        message = "The cluster answered in a way this API does not know. Try again later."
        return ClusterUnavailable(message, retry_after=RETRY_AFTER)
    error, detail = _BY_STATUS[response.status]
    return error(detail)


def already_exists(response: ApiResponse) -> bool:
    """Whether there is an object of that name; 409 also means that another write came in between."""
    return response.status == 409 and _status(response.body).reason == "AlreadyExists"  # noqa: PLR2004


def refuses_impersonation(response: ApiResponse) -> bool:
    """Whether the cluster refused who we act as, and not what the caller may do."""
    return response.status == 403 and "cannot impersonate" in (_status(response.body).message or "")  # noqa: PLR2004


def _forbidden(message: str) -> ResearcherError:
    """RBAC's refusal says nothing of the Project; an admission's refusal says what to change."""
    if message.startswith(_WEBHOOK):
        return RefusedByCluster(f"The cluster refuses the Job: {message[:MAX_TEXT]}")
    _, separator, reason = message.partition(" is forbidden: ")
    if not separator or "cannot impersonate" in message or reason.startswith("User "):
        return Forbidden(FORBIDDEN)
    if reason.startswith("exceeded quota"):
        return QuotaExceeded(f"The Project's quota has no room: {reason[:MAX_TEXT]}")
    return RefusedByCluster(f"The cluster refuses the Job: {reason[:MAX_TEXT]}")


def _fields(status: Status) -> tuple[FieldError, ...]:
    causes = status.details.causes if status.details else []
    fields = tuple(FieldError(_pointer(cause.field or ""), (cause.message or "")[:MAX_TEXT]) for cause in causes)
    return fields or (FieldError("", (status.message or "")[:MAX_TEXT]),)


def _pointer(field: str) -> str:
    """The JSON pointer (RFC 6901) to what Kubernetes calls *field*: /containers/0/image for containers[0].image."""
    return "".join(pointer_step(key or name) for key, name in _STEP.findall(field))


def _status(body: bytes) -> Status:
    try:
        return msgspec.json.decode(body, type=Status)
    except _UNREADABLE:
        return Status()
