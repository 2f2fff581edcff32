"""List the Jobs of all Projects of a caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from chalicelib.domain.errors import ClusterUnavailable, Forbidden, InvalidPageToken, PageTokenExpired
from chalicelib.domain.job.query import JobQuery
from chalicelib.domain.names import ProjectName
from chalicelib.usecases.list_all_jobs import AT_ONCE, AllJobsPage, list_all_jobs
from tests.support.builders import TEAM_A, ended, job
from tests.support.fakes import FakeJobs, raising

if TYPE_CHECKING:
    from collections.abc import Sequence

TEAM_B, TEAM_C = ProjectName("team-b"), ProjectName("team-c")


def names(page: AllJobsPage) -> list[str]:
    """Return Project and name of the page's Jobs, in order."""
    return [f"{each.project}/{each.name}" for each in page.data]


def read_all(projects: Sequence[ProjectName], query: JobQuery, jobs: FakeJobs) -> list[AllJobsPage]:
    """Return all pages."""
    pages: list[AllJobsPage] = []
    token: str | None = None
    while not pages or token:
        pages.append(list_all_jobs(projects, msgspec.structs.replace(query, page_token=token), jobs))
        token = pages[-1].next_page_token
    return pages


class TestPages:
    """Pages over several Projects."""

    @pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 7, 500])
    def test_each_job_is_on_one_page(self, limit: int) -> None:
        """They are sorted by Project and name, whatever the limit; no page exceeds it, and no page is empty."""
        projects = [ProjectName(f"p-{number:02}") for number in range(2 * AT_ONCE + 3)]
        jobs = FakeJobs(*projects)
        for number, project in enumerate(projects):
            jobs.hold(project, *(job(f"j-{each}") for each in range(number % 4)))
        expected = [f"{each}/j-{number}" for index, each in enumerate(projects) for number in range(index % 4)]

        pages = read_all([*reversed(projects)], JobQuery(limit=limit), jobs)

        assert [name for page in pages for name in names(page)] == expected
        assert all(0 < len(page.data) <= limit for page in pages[:-1])

    def test_filters(self) -> None:
        """Filters apply to each Project."""
        jobs = FakeJobs(TEAM_A, TEAM_B)
        for project in (TEAM_A, TEAM_B):
            jobs.hold(project, job("a", status=ended("Failed")), job("b"))

        assert names(list_all_jobs([TEAM_A, TEAM_B], JobQuery(status=("Failed",)), jobs)) == ["team-a/a", "team-b/a"]
        assert names(list_all_jobs([], JobQuery(), jobs)) == []

    def test_page_is_limited_by_the_response_size(self) -> None:
        """The Projects that do not fit together are on different pages."""
        projects = [TEAM_A, TEAM_B, TEAM_C]
        jobs = FakeJobs(*projects)
        for project in projects:
            jobs.hold(project, *(job(f"j-{number}", labels={"a": "b" * 300_000}) for number in range(8)))

        pages = read_all(projects, JobQuery(), jobs)

        assert [len(page.data) for page in pages] == [16, 8]

    def test_project_that_is_gone(self) -> None:
        """If the Project in which the next page begins is gone, it begins in the next one."""
        jobs = FakeJobs(TEAM_A, TEAM_C)
        jobs.hold(TEAM_C, job("a"))

        assert names(list_all_jobs([TEAM_A, TEAM_C], JobQuery(page_token="team-b_abc"), jobs)) == ["team-c/a"]

    @pytest.mark.parametrize(
        "token", ["abc", "_", "_abc", "TEAM-A_abc", "-a_", "a" * 51 + "_", "team-a_!", "eyJ2Ijoi_fQ"]
    )
    def test_invalid_token(self, jobs: FakeJobs, token: str) -> None:
        """A token of another list is an error."""
        with pytest.raises(InvalidPageToken):
            list_all_jobs([TEAM_A], JobQuery(page_token=token), jobs)


class TestFaults:
    """Projects that fail."""

    def test_failed_project_is_named(self) -> None:
        """The others are listed: here the caller has lost the access to one of them."""
        jobs = FakeJobs(TEAM_A, TEAM_C)
        jobs.hold(TEAM_A, job("a"))
        jobs.hold(TEAM_C, job("c"))

        page = list_all_jobs([TEAM_A, TEAM_B, TEAM_C], JobQuery(), jobs)

        assert names(page) == ["team-a/a", "team-c/c"]
        assert [(each.project, each.error.code) for each in page.failed] == [("team-b", "forbidden")]

    def test_all_fail(self) -> None:
        """An empty list would look like no Jobs."""
        jobs = FakeJobs(TEAM_A)
        jobs.before("page", raising(ClusterUnavailable("Down.")))

        with pytest.raises(ClusterUnavailable):
            list_all_jobs([TEAM_A], JobQuery(), jobs)
        with pytest.raises(Forbidden):
            list_all_jobs([TEAM_B, TEAM_C], JobQuery(), jobs)

    @pytest.mark.parametrize("error", [InvalidPageToken("No."), PageTokenExpired("Too old.")])
    def test_error_for_the_token_is_raised(self, error: Exception) -> None:
        """The list is never restarted silently."""
        jobs = FakeJobs(TEAM_A, TEAM_B)
        jobs.before("page", raising(error))

        with pytest.raises(type(error)):
            list_all_jobs([TEAM_A, TEAM_B], JobQuery(page_token="team-a_x"), jobs)
