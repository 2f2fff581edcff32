"""Every error a caller can meet: one tree, which is also the catalogue of codes.

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
├── StorageUnavailable (503)      ├── EventBusUnavailable (503)     └── DeadlineExceeded (504)

A message says what was refused and what to do. It never holds a token, a secret, an environment value or a stack.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

REPORT_TO_OPERATORS = "Report this to the operators of this API, with the X-Request-Id."
"""What a caller can do about an error that only a change of the deployment ends."""


class FieldError(msgspec.Struct, frozen=True):
    """One refused place of a request: a JSON pointer (RFC 6901) and what is wrong there."""

    pointer: str
    message: str


def pointer_step(name: str) -> str:
    """*name* as one step of a JSON pointer, with the slash before it."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error as it is answered: problem details of RFC 9457, with a stable *code*; *receipt* is of job_cleaned_up."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str | None = None
    errors: tuple[FieldError, ...] = ()
    receipt: Any = None


class ResearcherError(Exception):
    """The root: an error with a stable code, a status and a title."""

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
        """The cause in words for the log and not for the caller: the notes of this error, or None."""
        return "; ".join(getattr(self, "__notes__", ())) or None

    def problem(self, request_id: str | None = None) -> Problem:
        """This error as problem details, naming the request that met it."""
        return Problem(
            type=f"urn:researcher:problem:{self.code}",
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
    """The page token did not come from this list."""

    status, code, title = 400, "invalid_page_token", "Invalid page token"


class Unauthenticated(ResearcherError):
    """The bearer token is missing, or is not one this API accepts."""

    status, code, title = 401, "unauthenticated", "Authentication required"


class Forbidden(ResearcherError):
    """The caller may not do this in that Project, or the Project does not exist: the two look alike."""

    status, code, title = 403, "forbidden", "Forbidden"


class QuotaExceeded(ResearcherError):
    """The Project's quota has no room for the Job."""

    status, code, title = 403, "quota_exceeded", "Quota exceeded"


class RefusedByCluster(ResearcherError):
    """A policy of the cluster refuses the Job."""

    status, code, title = 403, "refused_by_cluster", "Refused by the cluster"


class JobNotFound(ResearcherError):
    """The Project has no such Job."""

    status, code, title = 404, "job_not_found", "No such Job"

    @classmethod
    def named(cls, project: str, name: str) -> JobNotFound:
        """Return the error that *project* has no Job *name*."""
        return cls(f"The Project {project} has no Job named {name}. It may have been cleaned up.")


class RouteNotFound(ResearcherError):
    """There is nothing at that path."""

    status, code, title = 404, "route_not_found", "Nothing here"


class MethodNotAllowed(ResearcherError):
    """The path does not answer that method."""

    status, code, title = 405, "method_not_allowed", "Method not allowed"


class NameTaken(ResearcherError):
    """The Project has another Job of that name."""

    status, code, title = 409, "name_taken", "Name taken"


class JobBeingDeleted(ResearcherError):
    """A Job of that name is still being deleted."""

    status, code, title = 409, "job_being_deleted", "Job being deleted"


class JobNotStarted(ResearcherError):
    """No container of the Job has started, so there is no log yet; *detail* has the reason."""

    status, code, title = 409, "job_not_started", "Not started"


class LogGone(ResearcherError):
    """The pod is gone, and its log with it."""

    status, code, title = 410, "log_gone", "Log gone"


class JobIncomplete(ResearcherError):
    """The multi-node Job has no Service yet because its creation was interrupted. Repeat the original request."""

    status, code, title = 409, "job_incomplete", "Job incomplete"


class JobFinished(ResearcherError):
    """The Job has ended, so nothing can be changed about its run."""

    status, code, title = 409, "job_finished", "Finished"


class JobManagedByQueue(ResearcherError):
    """The Job is in a queue, which decides when it runs."""

    status, code, title = 409, "job_managed_by_queue", "Managed by a queue"


class JobNotFinished(ResearcherError):
    """The Job still runs, or waits."""

    status, code, title = 409, "job_not_finished", "Job not finished"


class JobNotRetriable(ResearcherError):
    """The Job has no failed indexes that could run again."""

    status, code, title = 409, "job_not_retriable", "Nothing to retry"


class SubmissionUnknown(ResearcherError):
    """The Job was not created by this API, so its submission is unknown."""

    status, code, title = 409, "submission_unknown", "Submission unknown"


class PageTokenExpired(ResearcherError):
    """The page token is too old for the cluster to continue from."""

    status, code, title = 410, "page_token_expired", "Page token expired"


class UploadGone(ResearcherError):
    """The object was deleted before it could be read."""

    status, code, title = 410, "upload_gone", "Upload gone"


class JobCleanedUp(ResearcherError):
    """The Job has finished and was cleaned up; `receipt` is its Receipt."""

    status, code, title = 410, "job_cleaned_up", "Job cleaned up"

    def __init__(
        self,
        detail: str,
        errors: tuple[FieldError, ...] = (),
        *,
        receipt: Any = None,  # noqa: ANN401 - a Receipt, which knows of errors and not they of it
    ) -> None:
        super().__init__(detail, errors)
        self.receipt = receipt

    def problem(self, request_id: str | None = None) -> Problem:
        """The same problem details, with the Receipt."""
        return msgspec.structs.replace(super().problem(request_id), receipt=self.receipt)


class PreconditionFailed(ResearcherError):
    """The Job is not the one that the request means, or has changed."""

    status, code, title = 412, "precondition_failed", "Precondition failed"


class BodyTooLarge(ResearcherError):
    """The body is larger than a submission may be."""

    status, code, title = 413, "body_too_large", "Body too large"


class UnsupportedMediaType(ResearcherError):
    """The body is not declared as JSON."""

    status, code, title = 415, "unsupported_media_type", "Unsupported media type"


class InvalidJob(ResearcherError):
    """The Job as described cannot be accepted; *errors* names each field."""

    status, code, title = 422, "invalid_job", "Invalid Job"

    @classmethod
    def at(cls, *errors: FieldError) -> InvalidJob:
        """The refusal of a Job for these fields."""
        return cls("The Job was refused; errors names each field.", errors)


class IdempotencyKeyReused(ResearcherError):
    """The Idempotency-Key was used before, for another Job."""

    status, code, title = 422, "idempotency_key_reused", "Idempotency-Key reused"


class TooManyRequests(ResearcherError):
    """API Gateway's throttle refused the request."""

    status, code, title = 429, "too_many_requests", "Too many requests"


class InternalError(ResearcherError):
    """An unexpected error; the log has it under the request ID."""

    status, code, title = 500, "internal_error", "Internal error"


class BadGateway(ResearcherError):
    """The function did not answer API Gateway properly."""

    status, code, title = 502, "bad_gateway", "Bad gateway"


class ClusterUnavailable(ResearcherError):
    """The cluster cannot be reached, or has asked for fewer requests."""

    status, code, title = 503, "cluster_unavailable", "Cluster unavailable"


class CredentialsUnavailable(ResearcherError):
    """AWS gave no credentials for the cluster, or the cluster does not accept them."""

    status, code, title = 503, "credentials_unavailable", "Cluster credentials unavailable"


class IssuerUnavailable(ResearcherError):
    """The token issuer's keys cannot be read, so that no token can be verified."""

    status, code, title = 503, "issuer_unavailable", "Token issuer unavailable"


class StorageUnavailable(ResearcherError):
    """The bucket of uploads and Receipts cannot be reached."""

    status, code, title = 503, "storage_unavailable", "Storage unavailable"


class EventBusUnavailable(ResearcherError):
    """EventBridge takes no events, so that no finished Job can be announced."""

    status, code, title = 503, "event_bus_unavailable", "Event bus unavailable"


class DeadlineExceeded(ResearcherError):
    """The cluster took longer than a request may."""

    status, code, title = 504, "deadline_exceeded", "Deadline exceeded"


CATALOGUE: dict[str, type[ResearcherError]] = {error.code: error for error in ResearcherError.__subclasses__()}
