"""Submit a Job again: as a clone with changes, or as a retry of its failed indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.errors import JobNotFound
from chalicelib.domain.submission.deduplication_key import IdempotencyKey
from chalicelib.domain.submission.idempotency import identify, identify_repeatable, identify_shared, resubmission_name
from chalicelib.domain.submission.resubmission import clone_of, retry_of
from chalicelib.usecases.get_job import require_job
from chalicelib.usecases.submit_job import create_once, find_created

if TYPE_CHECKING:
    from chalicelib.domain.caller import Caller
    from chalicelib.domain.names import JobName, ProjectName
    from chalicelib.domain.submission.deduplication_key import DeduplicationKey
    from chalicelib.domain.submission.model import Submission
    from chalicelib.domain.submission.resubmission import CloneRequest
    from chalicelib.usecases.ports import Jobs
    from chalicelib.usecases.submit_job import Submitted


def clone_job(request: CloneRequest, deduplication_key: DeduplicationKey, caller: Caller, jobs: Jobs) -> Submitted:
    """Create the clone once. A repeated request returns it, even if the original does not exist any more."""
    try:
        submission = cloned_submission(request, deduplication_key, jobs)
    except JobNotFound:
        clone = _find_created(request, deduplication_key, caller, jobs)
        if clone is None:
            raise
        return clone
    return create_once(submission, identify(submission, caller, deduplication_key, request.identity), caller, jobs)


def cloned_submission(request: CloneRequest, deduplication_key: DeduplicationKey, jobs: Jobs) -> Submission:
    """Return the submission of the original with the changes of *request*; JobNotFound if it does not exist."""
    original = require_job(request.project, request.name, jobs)
    return clone_of(request.project, original, request.patch, keyed=isinstance(deduplication_key, IdempotencyKey))


def _find_created(
    request: CloneRequest, deduplication_key: DeduplicationKey, caller: Caller, jobs: Jobs
) -> Submitted | None:
    identity = identify_repeatable(request.names, request.identity, caller, deduplication_key)
    return find_created(request.project, identity, jobs) if identity else None


def retry_job(project: ProjectName, name: JobName, caller: Caller, jobs: Jobs) -> Submitted:
    """Create the Job that runs the indexes which this one did not complete; all requests and callers share it."""
    job = require_job(project, name, jobs)
    retry_name = resubmission_name(job.metadata.name, job.metadata.uid)
    submission = retry_of(project, job, retry_name)
    return create_once(submission, identify_shared(retry_name, submission), caller, jobs)
