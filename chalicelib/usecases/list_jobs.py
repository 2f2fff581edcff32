"""List a Project's Jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from chalicelib.domain.job.view import JobView, Status, view
from chalicelib.domain.kubernetes.selectors import SELECTOR_PATTERN, job_selector
from chalicelib.domain.response_size import fitting_count
from chalicelib.usecases.get_job import pods_by_job

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chalicelib.domain.kubernetes.jobs import Job, JobList
    from chalicelib.domain.names import ProjectName
    from chalicelib.usecases.ports import Jobs


PAGE = 500
"""Jobs that are asked for at once where all are wanted."""


class JobPage(msgspec.Struct, frozen=True, rename="camel"):
    """A page of Jobs in the order of their names; `nextPageToken` is null on the last."""

    data: list[JobView]
    next_page_token: str | None = None


class JobQuery(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Which Jobs a list shows."""

    status: (
        Annotated[Status, msgspec.Meta(description="Only Jobs in this status; a page may then be short.")] | None
    ) = None
    job_type_filter: (
        Annotated[Literal["Train", "Interactive"], msgspec.Meta(description="Only Jobs of this type.")] | None
    ) = None
    user: (
        Annotated[str, msgspec.Meta(description="Only Jobs this subject submitted.", min_length=1, max_length=128)]
        | None
    ) = None
    label: (
        Annotated[
            str,
            msgspec.Meta(
                description="Only Jobs with these labels: terms such as `team=vision` or `stage!=test`, with commas.",
                min_length=1,
                max_length=1024,
                extra_json_schema={"pattern": SELECTOR_PATTERN},
            ),
        ]
        | None
    ) = None
    limit: Annotated[int, msgspec.Meta(description="How many Jobs a page holds at most.", ge=1, le=500)] = 100
    page_token: (
        Annotated[
            str,
            msgspec.Meta(
                description="`nextPageToken` of the page before.", pattern="^[-_=A-Za-z0-9]+$", max_length=4096
            ),
        ]
        | None
    ) = None


def list_jobs(project: ProjectName, query: JobQuery, jobs: Jobs) -> JobPage:
    """List a page of the Project's Jobs. It may be short: a status is filtered here, after the cluster cut the page.

    A page whose text would be too large is asked for again with as many Jobs as fit, so that the cluster's token says
    where it ends.
    """
    selector = job_selector(query.label, query.user, query.job_type_filter)
    limit = query.limit
    while True:
        page = jobs.page(project, selector, limit, query.page_token)
        views = _views(project, page.items, query.status, jobs)
        limit = max(1, fitting_count(views))
        if limit >= len(views):
            return JobPage([one for one in views if one], page.metadata.continue_ or None)


def _views(project: ProjectName, found: Sequence[Job], status: Status | None, jobs: Jobs) -> list[JobView | None]:
    """The view of each of *found*, or None where it is in another *status*."""
    pods = pods_by_job(jobs.pods(project, [job for job in found if not job.finished]))
    views = (view(project, job, pods[job.metadata.uid]) for job in found)
    return [one if status in (None, one.status) else None for one in views]


def iter_pages(project: ProjectName, selector: str, jobs: Jobs) -> Iterator[JobList]:
    """The Jobs that match *selector*, page by page; the next is asked for when the one before was dealt with."""
    token: str | None = None
    while True:
        page = jobs.page(project, selector, PAGE, token)
        yield page
        token = page.metadata.continue_ or None
        if token is None:
            return
