"""Submit what was uploaded, each object on its own, and tell beside it what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from chalicelib.domain.caller import uploads_of
from chalicelib.domain.errors import ResearcherError
from chalicelib.domain.uploads import document
from chalicelib.domain.uploads.s3_event import Ignored, SupersededError, Upload, is_transient
from chalicelib.usecases.submit_job import Submitted, submit_job

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.errors import Problem
    from chalicelib.usecases.ports import Jobs

TRIED_AGAIN = "The upload is tried again by itself."


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
    records: Sequence[Upload | Ignored], request_id: str, uploads: Uploads, jobs: Jobs
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


def _outcome(record: Upload | Ignored, request_id: str, uploads: Uploads, jobs: Jobs) -> Outcome:
    if isinstance(record, Ignored):
        return Outcome("ignored", record.key, why=record.why)
    try:
        if uploads.is_settled(record):
            return Outcome("settled before", record.key)
        made = _submitted(record, uploads, jobs)
    except SupersededError:
        return Outcome("superseded", record.key)
    except ResearcherError as error:
        transient = is_transient(error)
        problem = _tried_again(error.problem(request_id)) if transient else error.problem(request_id)
        uploads.tell(record, msgspec.json.encode(problem), settled=not transient)
        if transient:
            raise
        return Outcome("refused", record.key, why=error.code)
    uploads.tell(record, msgspec.json.encode(made.job), settled=True)
    return Outcome("replayed" if made.replayed else "submitted", record.key, f"{made.job.project}/{made.job.name}")


def _submitted(upload: Upload, uploads: Uploads, jobs: Jobs) -> Submitted:
    document.check(upload)
    asked = document.submission(upload, uploads.read(upload))
    return submit_job(asked, upload.known_by, uploads_of(upload.bucket, upload.uploader), jobs)


def _tried_again(problem: Problem) -> Problem:
    return msgspec.structs.replace(problem, detail=f"{problem.detail} {TRIED_AGAIN}")
