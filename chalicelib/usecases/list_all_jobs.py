"""List the Jobs of all Projects of a caller.

The Projects are read in the order of their names, several at a time. A page ends within a Project, or between two: its
token is the name of the Project in which the next page begins, and the token of the cluster for the place in it.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Annotated

import msgspec

from chalicelib.domain.errors import InvalidPageToken, PageTokenExpired, Problem, ResearcherError
from chalicelib.domain.job.view import JobView  # noqa: TC001 - msgspec reads the annotations at run time
from chalicelib.domain.names import PROJECT_PATTERN, ProjectName
from chalicelib.domain.response_size import fitting_count
from chalicelib.usecases.list_jobs import list_jobs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from chalicelib.domain.job.query import JobQuery
    from chalicelib.usecases.list_jobs import JobPage
    from chalicelib.usecases.ports import Jobs

AT_ONCE = 8
"""Projects that are read at a time: a page of 500 Jobs is 7 MB."""
_TOKEN = re.compile(rf"(?P<project>{PROJECT_PATTERN})_(?P<token>[-_=A-Za-z0-9]*)")


class ProjectFailure(msgspec.Struct, frozen=True):
    """A Project whose Jobs are not in the page."""

    project: Annotated[str, msgspec.Meta(description="The name of the Project.")]
    error: Annotated[Problem, msgspec.Meta(description="Why its Jobs could not be listed.")]


class AllJobsPage(msgspec.Struct, frozen=True, rename="camel"):
    """A page of the Jobs of several Projects. `nextPageToken` is null on the last page."""

    data: Annotated[list[JobView], msgspec.Meta(description="The Jobs, sorted by Project and name.")]
    next_page_token: Annotated[str | None, msgspec.Meta(description="The `pageToken` of the next page, or null.")]
    failed: Annotated[
        list[ProjectFailure],
        msgspec.Meta(description="The Projects that could not be read: their Jobs are missing from this page."),
    ]


def list_all_jobs(projects: Sequence[ProjectName], query: JobQuery, jobs: Jobs) -> AllJobsPage:
    """List a page of the Jobs in *projects* that match *query*, which is resolved.

    A Project that fails is named, and the others are listed; if all of them fail, the error of the last is raised.
    """
    first, token = _place(query.page_token)
    names = sorted(project for project in projects if project >= first)
    starts = {project: token if project == first else None for project in names}
    data: list[JobView] = []
    failed: list[ProjectFailure] = []
    for project, result in _results(names, starts, query, jobs):
        if isinstance(result, ResearcherError):
            failed.append(ProjectFailure(project, result.problem()))
            if len(failed) == len(names):
                raise result
            continue
        together = [*data, *result.data]
        if data and result.data and (len(together) > query.limit or fitting_count(together) < len(together)):
            return AllJobsPage(data, _token(project, starts[project]), failed)
        data = together
        if result.next_page_token:
            return AllJobsPage(data, _token(project, result.next_page_token), failed)
    return AllJobsPage(data, None, failed)


def _results(
    names: Sequence[ProjectName], starts: Mapping[ProjectName, str | None], query: JobQuery, jobs: Jobs
) -> Iterator[tuple[ProjectName, JobPage | ResearcherError]]:
    """Yield the page of each Project, or its error; InvalidPageToken and PageTokenExpired are about the whole list."""

    def read(project: ProjectName) -> JobPage | ResearcherError:
        try:
            return list_jobs(project, msgspec.structs.replace(query, page_token=starts[project]), jobs)
        except (InvalidPageToken, PageTokenExpired):
            raise
        except ResearcherError as error:
            return error

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for number in range(0, len(names), AT_ONCE):
            batch = names[number : number + AT_ONCE]
            yield from zip(batch, pool.map(read, batch), strict=True)


def _place(page_token: str | None) -> tuple[str, str | None]:
    """Return the Project in which the page begins, and the cluster's token for the place in it, or None."""
    if page_token is None:
        return "", None
    match = _TOKEN.fullmatch(page_token)
    if match is None:
        raise InvalidPageToken("The page token does not belong to this list. Start again without it.")
    return match["project"], match["token"] or None


def _token(project: ProjectName, token: str | None) -> str:
    return f"{project}_{token or ''}"
