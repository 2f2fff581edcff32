"""Submit a Job exactly once, or ask what would become of it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from chalicelib.domain.errors import InvalidJob, NameTaken, QuotaExceeded, RefusedByCluster
from chalicelib.domain.job.view import JobView, view
from chalicelib.domain.manifest.job import render
from chalicelib.domain.manifest.multi_node import as_incomplete
from chalicelib.domain.names import JobName, project_name
from chalicelib.domain.submission.idempotency import identify, require_same_request
from chalicelib.domain.submission.listed_secrets import named_secrets, unlisted_secrets
from chalicelib.usecases.complete_multi_node import complete_job
from chalicelib.usecases.get_job import view_with_pods

if TYPE_CHECKING:
    from chalicelib.domain.caller import Caller
    from chalicelib.domain.errors import FieldError
    from chalicelib.domain.kubernetes.jobs import Manifest
    from chalicelib.domain.names import ProjectName
    from chalicelib.domain.submission.idempotency import DeduplicationKey, JobIdentity
    from chalicelib.domain.submission.model import Submission
    from chalicelib.usecases.ports import Jobs

ATTEMPTS = 3


class Submitted(msgspec.Struct, frozen=True):
    """A Job that was asked for, and whether an earlier delivery of the same request had made it."""

    job: JobView
    replayed: bool


def submit_job(submission: Submission, deduplication_key: DeduplicationKey, caller: Caller, jobs: Jobs) -> Submitted:
    """Makes the Job once, however often and from however many sides the same request comes."""
    return create_once(submission, identify(submission, caller, deduplication_key), caller, jobs)


def create_once(submission: Submission, wanted: JobIdentity, caller: Caller, jobs: Jobs) -> Submitted:
    """The Job of *submission* under the lock that is *wanted*, or the one that an earlier delivery made."""
    project = project_name(submission.project)
    whole = render(submission, caller, wanted)
    manifest = as_incomplete(whole) if submission.nodes else whole
    if unlisted := _unlisted(submission, manifest, jobs):
        if found := find_created(project, wanted, jobs):
            return found
        raise InvalidJob.at(*unlisted)
    for _ in range(ATTEMPTS):
        made = jobs.create(project, manifest)
        if made is not None:
            return Submitted(view(project, complete_job(project, made, jobs), ()), replayed=False)
        if found := find_created(project, wanted, jobs):
            return found
    raise NameTaken(
        f"The name {wanted.name} is created and deleted by other requests again and again. Try again later."
    )


def find_created(project: ProjectName, wanted: JobIdentity, jobs: Jobs) -> Submitted | None:
    """The Job that the request of *wanted* has made, or None; where another request made it, the error that says so."""
    found = jobs.find(project, JobName(wanted.name))
    if found is None:
        return None
    same = complete_job(project, require_same_request(found, wanted), jobs)
    return Submitted(view_with_pods(project, same, jobs), replayed=True)


def _unlisted(submission: Submission, manifest: Manifest, jobs: Jobs) -> tuple[FieldError, ...]:
    """The variables that name a Secret which the Project does not list. Told to those alone who may make the Job."""
    project = project_name(submission.project)
    if not named_secrets(submission):
        return ()
    unlisted = unlisted_secrets(submission, jobs.listed_secrets(project))
    if unlisted:
        # The cluster refuses the others before it looks at the Job, which it may refuse for its Secrets, too.
        with suppress(InvalidJob, QuotaExceeded, RefusedByCluster):
            jobs.preview(project, manifest)
    return unlisted


def preview_job(submission: Submission, deduplication_key: DeduplicationKey, caller: Caller, jobs: Jobs) -> Manifest:
    """The Job as the cluster would store it, after its defaults and admission; nothing is made.

    A request that has made its Job already is shown as it was sent, and one that would be refused is refused.
    """
    project, wanted = project_name(submission.project), identify(submission, caller, deduplication_key)
    manifest = render(submission, caller, wanted)
    unlisted = _unlisted(submission, manifest, jobs)
    preview = None if unlisted else jobs.preview(project, manifest)
    if preview is None and (found := jobs.find(project, JobName(wanted.name))):
        require_same_request(found, wanted)
    elif unlisted:
        raise InvalidJob.at(*unlisted)
    return preview or manifest
