"""Clone a Job, and retry what it did not complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.errors import JobNotFound
from chalicelib.domain.submission.idempotency import IdempotencyKey, derived_name, lock, repeatable_lock, shared_lock
from chalicelib.domain.submission.resubmission import clone_of, retry_of
from chalicelib.usecases.list_jobs import existing
from chalicelib.usecases.submit_job import find_made, make_once

if TYPE_CHECKING:
    from chalicelib.domain.caller import Caller
    from chalicelib.domain.names import JobName, ProjectName
    from chalicelib.domain.submission.idempotency import KnownBy
    from chalicelib.domain.submission.model import Submission
    from chalicelib.domain.submission.resubmission import CloneRequest
    from chalicelib.usecases.ports import Jobs
    from chalicelib.usecases.submit_job import Submitted


def clone_job(request: CloneRequest, known_by: KnownBy, caller: Caller, jobs: Jobs) -> Submitted:
    """Make the clone once. A repeated request finds it by its key or its name, also when the original is gone."""
    try:
        submission = cloned(request, known_by, jobs)
    except JobNotFound:
        made = _found_again(request, known_by, caller, jobs)
        if made is None:
            raise
        return made
    return make_once(submission, lock(submission, caller, known_by, request.identity), caller, jobs)


def cloned(request: CloneRequest, known_by: KnownBy, jobs: Jobs) -> Submission:
    """The submission of the original as the request changes it; JobNotFound when the original is gone."""
    original = existing(request.project, request.name, jobs)
    return clone_of(request.project, original, request.patch, keyed=isinstance(known_by, IdempotencyKey))


def _found_again(request: CloneRequest, known_by: KnownBy, caller: Caller, jobs: Jobs) -> Submitted | None:
    wanted = repeatable_lock(request.project, request.new_name, request.identity, caller, known_by)
    return find_made(request.project, wanted, jobs) if wanted else None


def retry_job(project: ProjectName, name: JobName, caller: Caller, jobs: Jobs) -> Submitted:
    """The Job that runs the indexes which this one did not complete; one, whoever asks and however often."""
    job = existing(project, name, jobs)
    again = derived_name(job.metadata.name, job.metadata.uid)
    submission = retry_of(project, job, again)
    return make_once(submission, shared_lock(again, submission), caller, jobs)
