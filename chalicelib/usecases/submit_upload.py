"""Submit uploaded objects, and write a status object beside each.

S3 delivers events at least once and in any order. For each record of an event:

1. Skip it if an earlier delivery stored a final status, so that its object is submitted once even if its Job has been
   deleted since.
2. Read the object with the version and ETag of the event. If a newer object has replaced it, it is superseded.
3. Submit it. The object's version is the deduplication key, so that a repeated delivery finds the Job of the first one.
4. Write the status: the Job or the error. An error that a retry may resolve is not final, and is raised after all
   records were processed, so that Lambda retries the event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from chalicelib.domain.caller import Caller
from chalicelib.domain.errors import ResearcherError
from chalicelib.domain.uploads import document
from chalicelib.domain.uploads.s3_event import IgnoredRecord, SupersededError, Upload
from chalicelib.domain.uploads.status import is_transient
from chalicelib.usecases.submit_job import Submitted, submit_job

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.errors import Problem
    from chalicelib.usecases.ports import Jobs

RETRIED = "The upload is retried automatically."


class Uploads(Protocol):
    """The bucket with uploads and status objects. Methods raise ResearcherError."""

    def has_final_status(self, upload: Upload) -> bool:
        """Return whether an earlier delivery of the same event stored a final status."""

    def read(self, upload: Upload) -> bytes:
        """Return the uploaded document; SupersededError if a newer object has replaced it."""

    def write_status(self, upload: Upload, status: bytes, *, final: bool) -> None:
        """Store *status*, unless the status of a newer event or a final one of this event is stored already."""


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """The outcome of one record of an event, for the log. *why* is the code of an error, or a reason."""

    outcome: Literal["submitted", "replayed", "already final", "superseded", "refused", "failed", "ignored"]
    key: str
    job: str | None = None
    why: str | None = None


def submit_uploads(
    records: Sequence[Upload | IgnoredRecord], request_id: str, uploads: Uploads, jobs: Jobs
) -> tuple[list[Outcome], list[ResearcherError]]:
    """Submit each upload among *records*; return the outcome of each, and the errors that a retry may resolve."""
    outcomes, failures = [], []
    for record in records:
        try:
            outcomes.append(_outcome(record, request_id, uploads, jobs))
        except ResearcherError as error:
            outcomes.append(Outcome("failed", record.key, why=error.code))
            failures.append(error)
    return outcomes, failures


def _outcome(record: Upload | IgnoredRecord, request_id: str, uploads: Uploads, jobs: Jobs) -> Outcome:
    if isinstance(record, IgnoredRecord):
        return Outcome("ignored", record.key, why=record.why)
    try:
        if uploads.has_final_status(record):
            return Outcome("already final", record.key)
        submitted = _submit(record, uploads, jobs)
    except SupersededError:
        return Outcome("superseded", record.key)
    except ResearcherError as error:
        transient = is_transient(error)
        problem = _with_retry_note(error.problem(request_id)) if transient else error.problem(request_id)
        uploads.write_status(record, msgspec.json.encode(problem), final=not transient)
        if transient:
            raise
        return Outcome("refused", record.key, why=error.code)
    uploads.write_status(record, msgspec.json.encode(submitted.job), final=True)
    job = f"{submitted.job.project}/{submitted.job.name}"
    return Outcome("replayed" if submitted.replayed else "submitted", record.key, job)


def _submit(upload: Upload, uploads: Uploads, jobs: Jobs) -> Submitted:
    document.check_name_and_size(upload)
    submission = document.parse_upload(upload, uploads.read(upload))
    return submit_job(submission, upload.deduplication_key, Caller.for_uploads(upload.bucket, upload.uploader), jobs)


def _with_retry_note(problem: Problem) -> Problem:
    return msgspec.structs.replace(problem, detail=f"{problem.detail} {RETRIED}")
