"""The errors of the API: one class for each error code, all below ResearcherError.

ResearcherError
├── MalformedRequest (400)        ├── InvalidPageToken (400)        ├── Unauthenticated (401)
├── Forbidden (403)               ├── QuotaExceeded (403)           ├── RefusedByCluster (403)
├── JobNotFound (404)             ├── RouteNotFound (404)           ├── MethodNotAllowed (405)
├── NameTaken (409)               ├── JobBeingDeleted (409)         ├── JobNotStarted (409)
├── JobIncomplete (409)           ├── JobFinished (409)             ├── JobManagedByQueue (409)
├── JobNotFinished (409)          ├── JobNotRetriable (409)         ├── SubmissionUnknown (409)
├── LogGone (410)                 ├── PageTokenExpired (410)        ├── UploadGone (410)
├── JobCleanedUp (410)            ├── PreconditionFailed (412)      ├── BodyTooLarge (413)
├── UnsupportedMediaType (415)    ├── InvalidJob (422)              ├── IdempotencyKeyReused (422)
├── TooManyRequests (429)         ├── InternalError (500)           ├── BadGateway (502)
├── ClusterUnavailable (503)      ├── CredentialsUnavailable (503)  ├── IssuerUnavailable (503)
├── StorageUnavailable (503)      ├── EventBusUnavailable (503)     ├── NodeUnavailable (503)
├── Overloaded (503)
└── DeadlineExceeded (504)

The docstring of each class is published: it describes the response in the OpenAPI document. A message says what is
wrong and what to do. It never contains a token, a secret, the value of an environment variable or a stack trace.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec

REPORT_TO_OPERATORS = "Report this to the operators of this API, with the X-Request-Id."
"""The advice in errors that only a change of the deployment can fix."""


class FieldError(msgspec.Struct, frozen=True):
    """An invalid field of a request: a JSON pointer (RFC 6901) to it, and what is wrong with it."""

    pointer: Annotated[
        str,
        msgspec.Meta(description="A JSON pointer (RFC 6901) to the field or parameter."),
    ]
    message: Annotated[str, msgspec.Meta(description="What is wrong with the field.")]


def pointer_step(name: str) -> str:
    """Return *name* as a reference token of a JSON pointer, with the leading slash."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error response: problem details (RFC 9457) with a stable `code`; only job_cleaned_up has a `receipt`."""

    type: Annotated[
        str,
        msgspec.Meta(
            description="The URL of the code in the documentation page of this API; a URN where the page is not known, "
            "as in errors of API Gateway itself."
        ),
    ]
    title: Annotated[str, msgspec.Meta(description="The title of the code.")]
    status: Annotated[int, msgspec.Meta(description="The HTTP status.")]
    detail: Annotated[str, msgspec.Meta(description="What is wrong and what to do, for people.")]
    code: Annotated[str, msgspec.Meta(description="The stable code, for programs.")]
    instance: Annotated[str | None, msgspec.Meta(description="The URN of the request.")] = None
    errors: Annotated[tuple[FieldError, ...], msgspec.Meta(description="The invalid fields of the request.")] = ()
    receipt: Annotated[Any, msgspec.Meta(description="The Receipt of a Job that was cleaned up.")] = None

    def linked(self, page: str | None) -> Problem:
        """Return this problem with the link to the entry of its code in the documentation *page*."""
        return msgspec.structs.replace(self, type=problem_type(self.code, page))


def problem_type(code: str, page: str | None) -> str:
    """Return the entry of *code* in the documentation *page*, or its URN if there is no page."""
    return f"{page}#{code}" if page else f"urn:researcher:problem:{code}"


class ResearcherError(Exception):
    """The base class: an error with a stable code, an HTTP status and a title."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str, errors: tuple[FieldError, ...] = (), *, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors
        self.retry_after = retry_after

    @property
    def why(self) -> str | None:
        """The cause, which is logged and not sent to the caller: the notes of this exception, or None."""
        return "; ".join(getattr(self, "__notes__", ())) or None

    def problem(self, request_id: str | None = None, page: str | None = None) -> Problem:
        """Return this error as problem details for the request *request_id*; *page* is the URL of the docs."""
        return Problem(
            type=problem_type(self.code, page),
            title=self.title,
            status=self.status,
            detail=self.detail,
            instance=f"urn:researcher:request:{request_id}" if request_id else None,
            code=self.code,
            errors=self.errors,
        )


class MalformedRequest(ResearcherError):
    """The request cannot be parsed: invalid JSON, an unknown parameter or an invalid name."""

    status, code, title = 400, "malformed_request", "Malformed request"


class InvalidPageToken(ResearcherError):
    """The page token was not issued for this list."""

    status, code, title = 400, "invalid_page_token", "Invalid page token"


class Unauthenticated(ResearcherError):
    """The bearer token is missing, or it is not valid for this API."""

    status, code, title = 401, "unauthenticated", "Authentication required"
    challenge = 'Bearer realm="researcher"'
    """The value of WWW-Authenticate, without an error code if the request has no token (RFC 6750, 3.1)."""


class Forbidden(ResearcherError):
    """The caller may not do this in the Project, or the Project does not exist: the error is the same in both cases."""

    status, code, title = 403, "forbidden", "Forbidden"


class QuotaExceeded(ResearcherError):
    """The Job would exceed the Project's quota."""

    status, code, title = 403, "quota_exceeded", "Quota exceeded"


class RefusedByCluster(ResearcherError):
    """An admission policy of the cluster refuses the Job."""

    status, code, title = 403, "refused_by_cluster", "Refused by the cluster"


class JobNotFound(ResearcherError):
    """The Project has no such Job."""

    status, code, title = 404, "job_not_found", "No such Job"

    @classmethod
    def named(cls, project: str, name: str) -> JobNotFound:
        """Return the error that *project* has no Job *name*."""
        return cls(f"The Project {project} has no Job named {name}. It may have been cleaned up.")


class RouteNotFound(ResearcherError):
    """The API has no such path."""

    status, code, title = 404, "route_not_found", "Route not found"


class MethodNotAllowed(ResearcherError):
    """The path does not support that method."""

    status, code, title = 405, "method_not_allowed", "Method not allowed"


class NameTaken(ResearcherError):
    """The Project has another Job with that name."""

    status, code, title = 409, "name_taken", "Name taken"


class JobBeingDeleted(ResearcherError):
    """A Job with that name is still being deleted."""

    status, code, title = 409, "job_being_deleted", "Job being deleted"


class JobNotStarted(ResearcherError):
    """No container of the Job has started, so there is no log yet; `detail` has the reason."""

    status, code, title = 409, "job_not_started", "Job not started"


class LogGone(ResearcherError):
    """The pod was deleted, and its log with it."""

    status, code, title = 410, "log_gone", "Log gone"


class JobIncomplete(ResearcherError):
    """The multi-node Job has no Service yet because its creation was interrupted. Repeat the original request."""

    status, code, title = 409, "job_incomplete", "Job incomplete"


class JobFinished(ResearcherError):
    """The Job has finished, so it can no longer be suspended or resumed."""

    status, code, title = 409, "job_finished", "Job finished"


class JobManagedByQueue(ResearcherError):
    """The Job is in a queue, and only the queue decides when it runs."""

    status, code, title = 409, "job_managed_by_queue", "Managed by a queue"


class JobNotFinished(ResearcherError):
    """The Job has not finished yet."""

    status, code, title = 409, "job_not_finished", "Job not finished"


class JobNotRetriable(ResearcherError):
    """The Job has no failed indexes to retry."""

    status, code, title = 409, "job_not_retriable", "Nothing to retry"


class SubmissionUnknown(ResearcherError):
    """The Job was not created by this API, so its submission is not known."""

    status, code, title = 409, "submission_unknown", "Submission unknown"


class PageTokenExpired(ResearcherError):
    """The page token is too old: the cluster cannot continue the list from it."""

    status, code, title = 410, "page_token_expired", "Page token expired"


class UploadGone(ResearcherError):
    """The object was deleted before it could be read."""

    status, code, title = 410, "upload_gone", "Upload gone"


class JobCleanedUp(ResearcherError):
    """The Job has finished and was deleted; `receipt` is its Receipt."""

    status, code, title = 410, "job_cleaned_up", "Job cleaned up"

    def __init__(
        self,
        detail: str,
        errors: tuple[FieldError, ...] = (),
        *,
        receipt: Any = None,  # noqa: ANN401 - a Receipt; finished.receipt imports this module
    ) -> None:
        super().__init__(detail, errors)
        self.receipt = receipt

    def problem(self, request_id: str | None = None, page: str | None = None) -> Problem:
        """Return the problem details with the Receipt."""
        return msgspec.structs.replace(super().problem(request_id, page), receipt=self.receipt)


class PreconditionFailed(ResearcherError):
    """The Job was changed or replaced since the caller read it."""

    status, code, title = 412, "precondition_failed", "Precondition failed"


class BodyTooLarge(ResearcherError):
    """The body is larger than the limit for a submission."""

    status, code, title = 413, "body_too_large", "Body too large"


class UnsupportedMediaType(ResearcherError):
    """The Content-Type of the body is not JSON."""

    status, code, title = 415, "unsupported_media_type", "Unsupported media type"


class InvalidJob(ResearcherError):
    """The Job is invalid; `errors` names each field."""

    status, code, title = 422, "invalid_job", "Invalid Job"

    @classmethod
    def at(cls, *errors: FieldError) -> InvalidJob:
        """Return the error for these fields of a Job."""
        return cls("The Job is invalid; errors names each field.", errors)


class IdempotencyKeyReused(ResearcherError):
    """The Idempotency-Key was already used for another Job."""

    status, code, title = 422, "idempotency_key_reused", "Idempotency-Key reused"


class TooManyRequests(ResearcherError):
    """API Gateway throttled the request."""

    status, code, title = 429, "too_many_requests", "Too many requests"


class InternalError(ResearcherError):
    """An unexpected error; the log has the details under the request ID."""

    status, code, title = 500, "internal_error", "Internal error"


class BadGateway(ResearcherError):
    """The function did not return a valid response to API Gateway."""

    status, code, title = 502, "bad_gateway", "Bad gateway"


class Overloaded(ResearcherError):
    """The API is at the limit of its concurrency; the request was not processed."""

    status, code, title = 503, "overloaded", "Overloaded"


class ClusterUnavailable(ResearcherError):
    """The cluster cannot be reached, or it throttles requests."""

    status, code, title = 503, "cluster_unavailable", "Cluster unavailable"


class NodeUnavailable(ResearcherError):
    """The node of the pod does not respond."""

    status, code, title = 503, "node_unavailable", "Node unavailable"


class CredentialsUnavailable(ResearcherError):
    """AWS issued no credentials for the cluster, or the cluster does not accept them."""

    status, code, title = 503, "credentials_unavailable", "Cluster credentials unavailable"


class IssuerUnavailable(ResearcherError):
    """The token issuer's signing keys cannot be fetched, so no token can be verified."""

    status, code, title = 503, "issuer_unavailable", "Token issuer unavailable"


class StorageUnavailable(ResearcherError):
    """The bucket of uploads and Receipts cannot be reached."""

    status, code, title = 503, "storage_unavailable", "Storage unavailable"


class EventBusUnavailable(ResearcherError):
    """EventBridge does not accept events, so no finished Job can be announced."""

    status, code, title = 503, "event_bus_unavailable", "Event bus unavailable"


class DeadlineExceeded(ResearcherError):
    """The cluster did not respond within the time limit of a request."""

    status, code, title = 504, "deadline_exceeded", "Deadline exceeded"


CATALOGUE: dict[str, type[ResearcherError]] = {error.code: error for error in ResearcherError.__subclasses__()}
