"""List a Project's Jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from chalicelib.domain.errors import DeadlineExceeded
from chalicelib.domain.job.view import Count, JobView, view
from chalicelib.domain.response_size import fitting_count
from chalicelib.usecases.get_job import pods_by_job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from chalicelib.domain.job.query import JobQuery, ListQuery
    from chalicelib.domain.kubernetes.jobs import Job, JobList
    from chalicelib.domain.names import ProjectName
    from chalicelib.usecases.ports import Jobs


PAGE = 500
"""The page size for listing all Jobs."""


class JobPage(msgspec.Struct, frozen=True, rename="camel"):
    """A page of Jobs, sorted by name. `nextPageToken` is null on the last page."""

    data: Annotated[list[JobView], msgspec.Meta(description="The Jobs, sorted by name.")]
    next_page_token: Annotated[str | None, msgspec.Meta(description="The `pageToken` of the next page, or null.")] = (
        None
    )
    unfinished: Annotated[
        Count | msgspec.UnsetType,
        msgspec.Meta(description="Only with `until`: how many Jobs have not finished, on all pages; 0 ends the wait."),
    ] = msgspec.UNSET


def await_jobs(project: ProjectName, query: ListQuery, jobs: Jobs, pause: Callable[[], bool]) -> JobPage:
    """List a page as `list_jobs` does, once all Jobs have finished that match *query* without its status.

    Args:
        project: the Project.
        query: the resolved query; a later page of a list does not wait.
        jobs: the Jobs of the cluster.
        pause: waits, and returns whether to look again; False if the time is over.
    """
    if query.until is None or query.page_token:
        return list_jobs(project, query, jobs)
    while any(_unfinished(project, query, jobs)) and pause():
        pass
    page = list_jobs(project, query, jobs)
    return msgspec.structs.replace(page, unfinished=sum(_unfinished(project, query, jobs)))


def _unfinished(project: ProjectName, query: JobQuery, jobs: Jobs) -> Iterator[int]:
    """Yield how many Jobs of each page of the cluster match *query* without its status, and have not finished."""
    for page in iter_pages(project, query.selector, jobs):
        yield sum(query.selects(job) and not job.finished for job in page.items)


def list_jobs(project: ProjectName, query: JobQuery, jobs: Jobs) -> JobPage:
    """List a page of the Project's Jobs that match *query*, which is resolved.

    The cluster selects Jobs by their labels; the other filters apply to its pages. If no Job of a page matches, the
    next one is read. If more match than the response may have, the page is requested again with as many Jobs as fit, so
    that the cluster's token continues after the last one. If the time is over while no Job has matched, the page is
    empty and its token continues the search.
    """
    token, size = query.page_token, query.limit
    while True:
        try:
            page = jobs.page(project, query.selector, size, token)
            views = matching_views(project, page.items, query, jobs)
        except DeadlineExceeded:
            if token == query.page_token:
                raise
            return JobPage([], token)
        fitting = min(fitting_count(views), _count_within(query.limit, views))
        if fitting < len(views) and size > 1:
            size = max(1, fitting)
            continue
        found = [job_view for job_view in views if job_view]
        is_last = not page.metadata.continue_ or (page.items and query.is_beyond(page.items[-1].metadata.name))
        if found or is_last:
            return JobPage(found, None if is_last else page.metadata.continue_)
        token, size = page.metadata.continue_, PAGE


def matching_views(project: ProjectName, items: Sequence[Job], query: JobQuery, jobs: Jobs) -> list[JobView | None]:
    """Return the view of each Job in *items*, or None if it does not match *query*; pods are read only if needed."""
    selected = [job for job in items if query.selects(job)]
    pods = pods_by_job(jobs.pods(project, [job for job in selected if not job.finished]))
    found = {id(job): view(project, job, pods[job.metadata.uid]) for job in selected}
    views = (found.get(id(job)) for job in items)
    return [each if each and each.status in (query.status or (each.status,)) else None for each in views]


def _count_within(limit: int, views: Sequence[JobView | None]) -> int:
    """Return how many of *views*, counted from the first, have at most *limit* Jobs."""
    count = 0
    for number, job_view in enumerate(views):
        count += job_view is not None
        if count > limit:
            return number
    return len(views)


def iter_pages(project: ProjectName, selector: str, jobs: Jobs) -> Iterator[JobList]:
    """Yield the pages of Jobs that match *selector*; each is requested after the previous one was processed."""
    token: str | None = None
    while True:
        page = jobs.page(project, selector, PAGE, token)
        yield page
        token = page.metadata.continue_ or None
        if token is None:
            return
