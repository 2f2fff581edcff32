"""List a Project's Jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from chalicelib.domain.job.status import Status  # noqa: TC001 - msgspec reads the annotations at run time
from chalicelib.domain.job.view import JobView, view
from chalicelib.domain.kubernetes.selectors import SELECTOR_PATTERN, job_selector
from chalicelib.domain.response_size import fitting_count
from chalicelib.usecases.get_job import pods_by_job

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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


class JobQuery(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """The filters and the page of a list of Jobs."""

    status: (
        Annotated[Status, msgspec.Meta(description="Only Jobs with this status. Pages may then be short or empty.")]
        | None
    ) = None
    job_type_filter: (
        Annotated[Literal["Train", "Interactive"], msgspec.Meta(description="Only Jobs of this type.")] | None
    ) = None
    user: (
        Annotated[str, msgspec.Meta(description="Only Jobs submitted by this subject.", min_length=1, max_length=128)]
        | None
    ) = None
    label: (
        Annotated[
            str,
            msgspec.Meta(
                description="Label selector: requirements such as `team=vision` or `stage!=test`, separated by commas.",
                min_length=1,
                max_length=1024,
                extra_json_schema={"pattern": SELECTOR_PATTERN},
            ),
        ]
        | None
    ) = None
    limit: Annotated[int, msgspec.Meta(description="Maximum number of Jobs in the page.", ge=1, le=500)] = 100
    page_token: (
        Annotated[
            str,
            msgspec.Meta(
                description="`nextPageToken` of the previous page.",
                pattern="^[-_=A-Za-z0-9]+$",
                max_length=4096,
                extra={"rule": "must be the nextPageToken of the previous page, unchanged"},
            ),
        ]
        | None
    ) = None


def list_jobs(project: ProjectName, query: JobQuery, jobs: Jobs) -> JobPage:
    """List a page of the Project's Jobs. It may be short: the status is filtered after the cluster made the page.

    If the response would be too large, the page is requested again with as many Jobs as fit, so that the cluster's
    token continues after the last one.
    """
    selector = job_selector(query.label, query.user, query.job_type_filter)
    limit = query.limit
    while True:
        page = jobs.page(project, selector, limit, query.page_token)
        views = _views(project, page.items, query.status, jobs)
        limit = max(1, fitting_count(views))
        if limit >= len(views):
            return JobPage([job_view for job_view in views if job_view], page.metadata.continue_ or None)


def _views(project: ProjectName, items: Sequence[Job], status: Status | None, jobs: Jobs) -> list[JobView | None]:
    """Return the view of each Job in *items*, or None if it does not have this *status*."""
    pods = pods_by_job(jobs.pods(project, [job for job in items if not job.finished]))
    views = (view(project, job, pods[job.metadata.uid]) for job in items)
    return [job_view if status in (None, job_view.status) else None for job_view in views]


def iter_pages(project: ProjectName, selector: str, jobs: Jobs) -> Iterator[JobList]:
    """Yield the pages of Jobs that match *selector*; each is requested after the previous one was processed."""
    token: str | None = None
    while True:
        page = jobs.page(project, selector, PAGE, token)
        yield page
        token = page.metadata.continue_ or None
        if token is None:
            return
