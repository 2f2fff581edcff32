"""Submit a Job exactly once, or preview it in a dry run.

1. The request has an identity (`domain.submission.idempotency`): a name, and hashes of the caller, the submission and
   the Idempotency-Key that are stored in annotations of the Job.
2. If the name comes from the Idempotency-Key, the Jobs with the label of this key are listed: one of another prefix
   has another name. If there is one, continue with step 4.
3. The Job is created with this name, which the cluster accepts once.
4. If the name exists, the existing Job is read. If it has the same identity, an earlier delivery of this request has
   created it: it is returned as a replay, and completed if it is an incomplete multi-node Job. If not, the error is
   NameTaken or IdempotencyKeyReused.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from chalicelib.domain.errors import InvalidJob, NameTaken, QuotaExceeded, RefusedByCluster
from chalicelib.domain.job.view import JobView, view
from chalicelib.domain.labels import KEY_LABEL
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
    from chalicelib.domain.kubernetes.jobs import Job, Manifest
    from chalicelib.domain.names import ProjectName
    from chalicelib.domain.submission.deduplication_key import DeduplicationKey
    from chalicelib.domain.submission.idempotency import JobIdentity
    from chalicelib.domain.submission.model import Submission
    from chalicelib.usecases.ports import Jobs

ATTEMPTS = 3
JOBS_OF_A_KEY = 10
"""The Jobs that are read of one Idempotency-Key; concurrent requests with different prefixes can create several."""


class Submitted(msgspec.Struct, frozen=True):
    """A submitted Job; *replayed* if an earlier delivery of the same request created it."""

    job: JobView
    replayed: bool


def submit_job(submission: Submission, deduplication_key: DeduplicationKey, caller: Caller, jobs: Jobs) -> Submitted:
    """Create the Job once, however often the same request is delivered, also concurrently."""
    return create_once(submission, identify(submission, caller, deduplication_key), caller, jobs)


def create_once(submission: Submission, identity: JobIdentity, caller: Caller, jobs: Jobs) -> Submitted:
    """Create the Job of *submission* with this *identity*, or return the one that an earlier delivery created."""
    project = project_name(submission.project)
    complete = render(submission, caller, identity)
    manifest = as_incomplete(complete) if submission.nodes else complete
    if keyed := _find_by_key(project, identity, jobs):
        return _replay(project, keyed, identity, jobs)
    if unlisted := _unlisted(submission, manifest, jobs):
        if found := find_created(project, identity, jobs):
            return found
        raise InvalidJob.at(*unlisted)
    for _ in range(ATTEMPTS):
        created = jobs.create(project, manifest)
        if created is not None:
            return Submitted(view(project, complete_job(project, created, jobs), ()), replayed=False)
        if found := find_created(project, identity, jobs):
            return found
    raise NameTaken(f"Other requests keep creating and deleting a Job named {identity.name}. Try again later.")


def find_created(project: ProjectName, identity: JobIdentity, jobs: Jobs) -> Submitted | None:
    """Return the Job that the request with this *identity* created, or None; raise if another request created it."""
    found = _find_by_key(project, identity, jobs) or jobs.find(project, JobName(identity.name))
    return _replay(project, found, identity, jobs) if found else None


def _find_by_key(project: ProjectName, identity: JobIdentity, jobs: Jobs) -> Job | None:
    """Return the Job whose name comes from the same Idempotency-Key, preferably with the same prefix, or None."""
    if not identity.key_label:
        return None
    found = jobs.page(project, f"{KEY_LABEL}={identity.key_label}", JOBS_OF_A_KEY, None).items
    return next((job for job in found if job.metadata.name == identity.name), found[0] if found else None)


def _replay(project: ProjectName, found: Job, identity: JobIdentity, jobs: Jobs) -> Submitted:
    job = complete_job(project, require_same_request(found, identity), jobs)
    return Submitted(view_with_pods(project, job, jobs), replayed=True)


def _unlisted(submission: Submission, manifest: Manifest, jobs: Jobs) -> tuple[FieldError, ...]:
    """Return the errors of variables whose Secret is not on the Project's list, if the caller may create the Job."""
    project = project_name(submission.project)
    if not named_secrets(submission):
        return ()
    unlisted = unlisted_secrets(submission, jobs.listed_secrets(project))
    if unlisted:
        # A caller without permission gets Forbidden from this dry run; other errors may be about the same Secrets.
        with suppress(InvalidJob, QuotaExceeded, RefusedByCluster):
            jobs.preview(project, manifest)
    return unlisted


def preview_job(submission: Submission, deduplication_key: DeduplicationKey, caller: Caller, jobs: Jobs) -> Manifest:
    """Return the Job as the cluster would store it, with its defaults and after admission, by a dry run.

    If the request has created its Job already, return the manifest as it was submitted. Raise any error that the
    submission would have.
    """
    project, identity = project_name(submission.project), identify(submission, caller, deduplication_key)
    manifest = render(submission, caller, identity)
    if keyed := _find_by_key(project, identity, jobs):
        require_same_request(keyed, identity)
    unlisted = _unlisted(submission, manifest, jobs)
    preview = None if unlisted else jobs.preview(project, manifest)
    if preview is None and (found := jobs.find(project, JobName(identity.name))):
        require_same_request(found, identity)
    elif unlisted:
        raise InvalidJob.at(*unlisted)
    return preview or manifest
