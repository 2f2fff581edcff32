"""Submit what was uploaded, each object on its own, and tell beside it what became of it."""

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

RETRIED = "The upload is tried again by itself."


class Uploads(Protocol):
    """The bucket; refusals are raised as ResearcherError."""

    def is_settled(self, upload: Upload) -> bool:
        """Whether an earlier delivery of the same event had the last word."""

    def read(self, upload: Upload) -> bytes:
        """The document; SupersededError when a newer event tells of another in its place."""

    def tell(self, upload: Upload, status: bytes, *, settled: bool) -> None:
        """Stores what became of it, unless more is known already; *settled* when it is the last word."""


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one record of an event, for the log; *why* is an error's code, or our own words."""

    outcome: Literal["submitted", "replayed", "settled before", "superseded", "refused", "failed", "ignored"]
    key: str
    job: str | None = None
    why: str | None = None


def submit_uploads(
    records: Sequence[Upload | IgnoredRecord], request_id: str, uploads: Uploads, jobs: Jobs
) -> tuple[list[Outcome], list[ResearcherError]]:
    """Submits each upload among *records*; beside what became of each, the failures that another try may not meet."""
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
        if uploads.is_settled(record):
            return Outcome("settled before", record.key)
        made = _submit(record, uploads, jobs)
    except SupersededError:
        return Outcome("superseded", record.key)
    except ResearcherError as error:
        transient = is_transient(error)
        problem = _with_retry_note(error.problem(request_id)) if transient else error.problem(request_id)
        uploads.tell(record, msgspec.json.encode(problem), settled=not transient)
        if transient:
            raise
        return Outcome("refused", record.key, why=error.code)
    uploads.tell(record, msgspec.json.encode(made.job), settled=True)
    return Outcome("replayed" if made.replayed else "submitted", record.key, f"{made.job.project}/{made.job.name}")


def _submit(upload: Upload, uploads: Uploads, jobs: Jobs) -> Submitted:
    document.check_name_and_size(upload)
    asked = document.parse_upload(upload, uploads.read(upload))
    return submit_job(asked, upload.deduplication_key, Caller.for_uploads(upload.bucket, upload.uploader), jobs)


def _with_retry_note(problem: Problem) -> Problem:
    return msgspec.structs.replace(problem, detail=f"{problem.detail} {RETRIED}")
