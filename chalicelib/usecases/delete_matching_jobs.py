"""Delete the Jobs of a Project that a label selects.

1. The Jobs are listed, and at most 100 are selected. Jobs that are kept, or are being deleted, are not.
2. Each is deleted by itself, with its uid and resource version as preconditions. The cluster's `deletecollection` is
   never used: it would also delete Jobs that have changed, or were created, since they were listed.
3. A Job that has changed is read again, and deleted only if it still matches.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Annotated, NamedTuple

import msgspec

from chalicelib.domain.errors import FieldError, JobNotFound, MalformedRequest, PreconditionFailed, ResearcherError
from chalicelib.domain.job.lifecycle import is_kept
from chalicelib.domain.kubernetes.selectors import has_equality, selects
from chalicelib.domain.names import JobName
from chalicelib.usecases.delete_jobs import Deletion
from chalicelib.usecases.get_job import view_with_pods
from chalicelib.usecases.list_jobs import iter_pages, matching_views
from chalicelib.usecases.ports import PARALLEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.job.query import JobQuery
    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.names import ProjectName
    from chalicelib.usecases.ports import Jobs

MAX_DELETIONS = 100
ATTEMPTS = 4
"""Attempts on conflicts: the status of a Job that starts is written several times a second."""


class MatchingDeletions(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """The result of each deletion, and what was not deleted."""

    data: Annotated[list[Deletion], msgspec.Meta(description="The results, sorted by name.")]
    kept: Annotated[
        list[str],
        msgspec.Meta(description="The names of matching Jobs that are kept, and not deleted; at most 100."),
    ]
    more: Annotated[bool, msgspec.Meta(description="Whether more Jobs match: repeat the request to delete them.")]
    dry_run: Annotated[bool, msgspec.Meta(description="Whether nothing was deleted: `ok` says what would be.")]


class _Selected(NamedTuple):
    targets: list[Job]
    kept: list[str]
    more: bool


def require_narrow_label(label: str) -> None:
    """Raise MalformedRequest unless *label*, a valid selector, requires the value of a label."""
    if not has_equality(label):
        message = "must require the value of a label, such as sweep=7: the other terms alone select nearly all Jobs"
        raise MalformedRequest("The query is invalid; errors names the parameters.", (FieldError("/label", message),))


def delete_matching_jobs(project: ProjectName, query: JobQuery, jobs: Jobs, *, dry_run: bool) -> MatchingDeletions:
    """Delete at most MAX_DELETIONS Jobs that match *query*, which is resolved, or only check that this is possible."""
    selected = _select(project, query, jobs)
    with ThreadPoolExecutor(PARALLEL) as pool:
        data = list(pool.map(lambda job: _delete(project, job, query, jobs, dry_run=dry_run), selected.targets))
    return MatchingDeletions(data=data, kept=selected.kept, more=selected.more, dry_run=dry_run)


def _select(project: ProjectName, query: JobQuery, jobs: Jobs) -> _Selected:
    targets: list[Job] = []
    kept: list[str] = []
    for page in iter_pages(project, query.selector, jobs):
        for job in _matching(project, page.items, query, jobs):
            if is_kept(job):
                kept.append(job.metadata.name)
            elif len(targets) == MAX_DELETIONS:
                return _Selected(targets, kept[:MAX_DELETIONS], more=True)
            else:
                targets.append(job)
    return _Selected(targets, kept[:MAX_DELETIONS], more=False)


def _matching(project: ProjectName, items: Sequence[Job], query: JobQuery, jobs: Jobs) -> list[Job]:
    """Return the Jobs of *items* that match and are not being deleted; pods are read only for the status."""
    present = [job for job in items if not job.metadata.deletion_timestamp]
    if not query.status:
        return present
    views = matching_views(project, present, query, jobs)
    return [job for job, job_view in zip(present, views, strict=True) if job_view]


def _delete(project: ProjectName, job: Job, query: JobQuery, jobs: Jobs, *, dry_run: bool) -> Deletion:
    name = JobName(job.metadata.name)
    try:
        _delete_while_matching(project, job, query, jobs, dry_run=dry_run)
    except ResearcherError as error:
        return Deletion(name, project, ok=False, error=error.problem())
    return Deletion(name, project, ok=True)


def _delete_while_matching(project: ProjectName, job: Job, query: JobQuery, jobs: Jobs, *, dry_run: bool) -> None:
    """Delete *job*; if it has changed, delete it as it is now, unless it does not match any more."""
    uid, name = job.metadata.uid, JobName(job.metadata.name)
    for _ in range(ATTEMPTS):
        try:
            return jobs.delete(project, name, uid, job.metadata.resource_version, dry_run=dry_run)
        except JobNotFound:
            return None
        except PreconditionFailed:
            now = jobs.find(project, name)
        if now is None or now.metadata.uid != uid or now.metadata.deletion_timestamp:
            return None  # another caller has deleted it
        if not _matches(project, now, query, jobs):
            raise PreconditionFailed("The Job has changed: it is kept now, or it does not match any more.")
        job = now
    raise PreconditionFailed("The Job kept changing. Repeat the request.")


def _matches(project: ProjectName, job: Job, query: JobQuery, jobs: Jobs) -> bool:
    if is_kept(job) or not selects(query.label or "", job.metadata.labels):
        return False
    return not query.status or view_with_pods(project, job, jobs).status in query.status
