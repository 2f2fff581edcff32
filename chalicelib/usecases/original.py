"""Clone a Job, and retry what it did not complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.once import derived_name, shared_lock
from chalicelib.domain.original import clone_of, retry_of
from chalicelib.usecases.jobs import existing
from chalicelib.usecases.submit import make_once

if TYPE_CHECKING:
    from chalicelib.domain.caller import Caller
    from chalicelib.domain.names import JobName, ProjectName
    from chalicelib.domain.submission import Submission
    from chalicelib.usecases.ports import Jobs
    from chalicelib.usecases.submit import Submitted


def clone(project: ProjectName, name: JobName, patch: object, key: str | None, jobs: Jobs) -> Submission:
    """What the Job was asked as, changed by the merge patch *patch*: to be submitted as any other."""
    return clone_of(project, existing(project, name, jobs), patch, keyed=key is not None)


def retry_job(project: ProjectName, name: JobName, caller: Caller, jobs: Jobs) -> Submitted:
    """The Job that runs the indexes which this one did not complete; one, whoever asks and however often."""
    job = existing(project, name, jobs)
    again = derived_name(job.metadata.name, job.metadata.uid)
    submission = retry_of(project, job, again)
    return make_once(submission, shared_lock(again, submission), caller, jobs)
