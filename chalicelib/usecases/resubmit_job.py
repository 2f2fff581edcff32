"""Clone a Job, and retry what it did not complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.errors import JobNotFound
from chalicelib.domain.submission.idempotency import (
    IdempotencyKey,
    identify,
    identify_repeatable,
    identify_shared,
    resubmission_name,
)
from chalicelib.domain.submission.resubmission import clone_of, retry_of
from chalicelib.usecases.get_job import require_job
from chalicelib.usecases.submit_job import create_once, find_created

if TYPE_CHECKING:
    from chalicelib.domain.caller import Caller
    from chalicelib.domain.names import JobName, ProjectName
    from chalicelib.domain.submission.idempotency import DeduplicationKey
    from chalicelib.domain.submission.model import Submission
    from chalicelib.domain.submission.resubmission import CloneRequest
    from chalicelib.usecases.ports import Jobs
    from chalicelib.usecases.submit_job import Submitted


def clone_job(request: CloneRequest, deduplication_key: DeduplicationKey, caller: Caller, jobs: Jobs) -> Submitted:
    """Make the clone once. A repeated request finds it by its key or its name, also when the original is gone."""
    try:
        submission = cloned_submission(request, deduplication_key, jobs)
    except JobNotFound:
        made = _find_created(request, deduplication_key, caller, jobs)
        if made is None:
            raise
        return made
    return create_once(submission, identify(submission, caller, deduplication_key, request.identity), caller, jobs)


def cloned_submission(request: CloneRequest, deduplication_key: DeduplicationKey, jobs: Jobs) -> Submission:
    """The submission of the original as the request changes it; JobNotFound when the original is gone."""
    original = require_job(request.project, request.name, jobs)
    return clone_of(request.project, original, request.patch, keyed=isinstance(deduplication_key, IdempotencyKey))


def _find_created(
    request: CloneRequest, deduplication_key: DeduplicationKey, caller: Caller, jobs: Jobs
) -> Submitted | None:
    wanted = identify_repeatable(request.project, request.new_name, request.identity, caller, deduplication_key)
    return find_created(request.project, wanted, jobs) if wanted else None


def retry_job(project: ProjectName, name: JobName, caller: Caller, jobs: Jobs) -> Submitted:
    """The Job that runs the indexes which this one did not complete; one, whoever asks and however often."""
    job = require_job(project, name, jobs)
    again = resubmission_name(job.metadata.name, job.metadata.uid)
    submission = retry_of(project, job, again)
    return create_once(submission, identify_shared(again, submission), caller, jobs)
