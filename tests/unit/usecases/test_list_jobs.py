"""List Jobs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import pytest

from chalicelib.domain.errors import (
    DeadlineExceeded,
    Forbidden,
    InvalidPageToken,
    MalformedRequest,
    PageTokenExpired,
)
from chalicelib.domain.job.query import JobQuery, ListQuery
from chalicelib.domain.kubernetes.jobs import JobStatus, OwnerReference
from chalicelib.domain.labels import JOB_TYPE_LABEL, USER_LABEL
from chalicelib.domain.names import JobName, ProjectName
from chalicelib.usecases.get_job import get_job
from chalicelib.usecases.list_jobs import PAGE, JobPage, await_jobs, list_jobs
from tests.support.builders import NOW, NOW_MS, TEAM_A, ended, job, minutes_ago, pod, unscheduled
from tests.support.fakes import FakeJobs, raising

if TYPE_CHECKING:
    from collections.abc import Callable

TEAM_B = ProjectName("team-b")
SWEEP = {"sweep": "7"}


def names(page: JobPage) -> list[str]:
    """Return the names of the page's Jobs, in order."""
    return [each.name for each in page.data]


class TestListJobs:
    """A page of a Project's Jobs."""

    def test_jobs_of_the_project_by_name(self) -> None:
        """Jobs of other Projects are not listed."""
        jobs = FakeJobs(TEAM_A, TEAM_B)
        jobs.hold(TEAM_A, job("b"), job("a"), job("c.d"))
        jobs.hold(TEAM_B, job("other"))

        assert names(list_jobs(TEAM_A, JobQuery(), jobs)) == ["a", "b", "c.d"]

    def test_pages_are_consecutive(self, jobs: FakeJobs) -> None:
        """Each Job is on one page, and the last page has no token."""
        jobs.hold(TEAM_A, *(job(f"job-{number}") for number in range(5)))

        first = list_jobs(TEAM_A, JobQuery(limit=2), jobs)
        second = list_jobs(TEAM_A, JobQuery(limit=2, page_token=first.next_page_token), jobs)
        third = list_jobs(TEAM_A, JobQuery(limit=2, page_token=second.next_page_token), jobs)

        assert [names(page) for page in (first, second, third)] == [["job-0", "job-1"], ["job-2", "job-3"], ["job-4"]]
        assert third.next_page_token is None

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (JobQuery(user="alice"), ["a", "c"]),
            (JobQuery(job_type_filter="Train"), ["a", "b"]),
            (JobQuery(user="alice", job_type_filter="Train"), ["a"]),
            (JobQuery(label="team=vision"), ["b", "c"]),
            (JobQuery(label="team=vision", user="alice"), ["c"]),
        ],
    )
    def test_filters_are_combined(self, jobs: FakeJobs, query: JobQuery, expected: list[str]) -> None:
        """The cluster filters by labels, and all filters must match."""
        jobs.hold(
            TEAM_A,
            job("a", labels={USER_LABEL: "alice", JOB_TYPE_LABEL: "Train"}),
            job("b", labels={USER_LABEL: "bob", JOB_TYPE_LABEL: "Train", "team": "vision"}),
            job("c", labels={USER_LABEL: "alice", JOB_TYPE_LABEL: "Interactive", "team": "vision"}),
        )

        assert expected == names(list_jobs(TEAM_A, query, jobs))

    @pytest.mark.parametrize("limit", [1, 2, 3, 500])
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (JobQuery(status=("Failed",)), ["job-0003", "job-0777", "job-1501"]),
            (JobQuery(status=("Failed", "Succeeded")), ["job-0003", "job-0777", "job-0778", "job-1501"]),
            (JobQuery(since=str(NOW_MS - 60_000)), ["job-1000", "job-1001"]),
            (JobQuery(name="job-15"), [f"job-15{number:02}" for number in range(100)]),
            (JobQuery(name="job-15", status=("Failed",)), ["job-1501"]),
            (JobQuery(name="nothing"), []),
        ],
    )
    def test_page_is_not_empty_while_more_match(
        self, jobs: FakeJobs, query: JobQuery, expected: list[str], limit: int
    ) -> None:
        """Whatever the cluster's pages contain, each Job is on one page, none exceeds the limit, and none is empty."""
        ends = {3: "Failed", 777: "Failed", 778: "Complete", 1501: "Failed"}
        ages = {1000: 1, 1001: 0.5}
        jobs.hold(
            TEAM_A,
            *(
                job(
                    f"job-{number:04}",
                    status=ended(ends[number]) if number in ends else JobStatus(),
                    creation_timestamp=minutes_ago(ages.get(number, 60)),
                )
                for number in range(1700)
            ),
        )
        pages: list[JobPage] = []
        token: str | None = None
        while not pages or token:
            pages.append(list_jobs(TEAM_A, msgspec.structs.replace(query, limit=limit, page_token=token), jobs))
            token = pages[-1].next_page_token

        assert [name for page in pages for name in names(page)] == expected
        # The last page can be empty: the cluster does not say whether one of the Jobs to come matches.
        assert all(0 < len(page.data) <= limit for page in pages[:-1])
        assert len(pages) <= len(expected) + 1

    def test_names_in_order_end_the_search(self, jobs: FakeJobs) -> None:
        """After the last name with the prefix, no further page is read."""
        jobs.hold(TEAM_A, *(job(f"{letter}-{number:03}") for letter in "abc" for number in range(400)))
        pages: list[str] = []
        jobs.before("page", *[lambda: pages.append("read")] * 9)

        page = list_jobs(TEAM_A, JobQuery(name="a-399", limit=500), jobs)

        assert (names(page), page.next_page_token, pages) == (["a-399"], None, ["read"])

    def test_search_continues_when_the_time_is_over(self, jobs: FakeJobs) -> None:
        """A search that takes too long returns an empty page with its place; the first request fails as any other."""
        jobs.hold(TEAM_A, *(job(f"job-{number:03}") for number in range(400)), job("z", status=ended("Failed")))
        query = JobQuery(status=("Failed",))
        late = raising(DeadlineExceeded("The time is over."))

        jobs.before("page", lambda: None, late)
        page = list_jobs(TEAM_A, query, jobs)
        rest = list_jobs(TEAM_A, msgspec.structs.replace(query, page_token=page.next_page_token), jobs)
        jobs.before("page", late)

        assert (names(page), names(rest)) == ([], ["z"])
        with pytest.raises(DeadlineExceeded):
            list_jobs(TEAM_A, query, jobs)

    def test_pods_are_read_only_of_jobs_that_can_match(self, jobs: FakeJobs) -> None:
        """The status needs pods; the name and the age do not."""
        jobs.hold(TEAM_A, job("a-1"), job("b-1"))

        list_jobs(TEAM_A, JobQuery(name="b", status=("Pending",)), jobs)

        assert jobs.pod_requests == [["b-1"]]

    def test_pods_of_unfinished_jobs_are_read_once(self, jobs: FakeJobs) -> None:
        """There is one request for all Jobs, without finished ones."""
        jobs.hold(TEAM_A, job("a"), job("b", status=ended("Complete")), job("c"), job("d", deletion_timestamp=NOW))

        list_jobs(TEAM_A, JobQuery(), jobs)

        assert jobs.pod_requests == [["a", "c", "d"]]

    def test_each_job_has_its_own_pods(self, jobs: FakeJobs) -> None:
        """The status of each Job is that of its own pods."""
        jobs.hold(TEAM_A, job("a"), job("b"), job("c"))
        jobs.all_pods += [
            (TEAM_A, pod("Running", name="a-1", owner="uid-of-a")),
            (TEAM_A, pod("Pending", name="b-1", owner="uid-of-b", status=unscheduled())),
        ]

        page = list_jobs(TEAM_A, JobQuery(), jobs)

        expected = [("Running", None), ("Pending", "Unschedulable"), ("Pending", None)]
        assert expected == [(each.status, each.reason) for each in page.data]

    def test_pod_with_several_owners_or_none(self, jobs: FakeJobs) -> None:
        """Any owner may be the Job; pods of an earlier Job with the same name have another uid."""
        jobs.hold(TEAM_A, job("a"))
        owners = [OwnerReference(uid="other"), OwnerReference(uid="uid-of-a")]
        jobs.all_pods += [
            (TEAM_A, pod("Running", name="a-1", owner_references=owners)),
            (TEAM_A, pod("Failed", name="a-2", owner_references=[])),
            (TEAM_A, pod("Running", name="b-1", owner="uid-of-an-earlier-job")),
        ]
        jobs.hold(TEAM_A, job("b"))

        assert [each.status for each in list_jobs(TEAM_A, JobQuery(), jobs).data] == ["Running", "Pending"]
        assert [get_job(TEAM_A, JobName(name), jobs)[0].status for name in "ab"] == ["Running", "Pending"]

    def test_page_is_limited_by_the_response_size(self, jobs: FakeJobs) -> None:
        """A larger response would be a 502 of Lambda. Each Job is on one page, and filtered ones do not count."""
        large = {"a" * 1000: "b"} | {f"label-{number}": "c" * 60 for number in range(6000)}
        jobs.hold(TEAM_A, *(job(f"job-{number:02}", labels=large) for number in range(30)))
        jobs.hold(TEAM_A, *(job(f"job-{number:02}x", labels=large, status=ended("Failed")) for number in range(30)))
        query = JobQuery(status=("Pending",))
        pages: list[JobPage] = []
        while not pages or query.page_token:
            pages.append(list_jobs(TEAM_A, query, jobs))
            query = JobQuery(status=("Pending",), page_token=pages[-1].next_page_token)

        sizes = [len(json.dumps(msgspec.json.encode(page).decode())) for page in pages]
        assert 4_000_000 < max(sizes) < 5_100_000
        assert [name for page in pages for name in names(page)] == [f"job-{number:02}" for number in range(30)]

    def test_too_large_job_is_alone_on_its_page(self, jobs: FakeJobs) -> None:
        """A page has at least one Job, so the next page begins after it."""
        jobs.hold(TEAM_A, job("a", labels={"a": "b" * 6_000_000}), job("b"))

        first = list_jobs(TEAM_A, JobQuery(), jobs)

        assert (names(first), first.next_page_token is None) == (["a"], False)

    def test_other_teams_project_is_forbidden(self) -> None:
        """The error contains nothing about the Project."""
        with pytest.raises(Forbidden):
            list_jobs(TEAM_B, JobQuery(), FakeJobs(TEAM_A))

    def test_invalid_selector(self, jobs: FakeJobs) -> None:
        """An invalid filter is never ignored."""
        jobs.hold(TEAM_A, job("a"))

        with pytest.raises(MalformedRequest):
            list_jobs(TEAM_A, JobQuery(label="team in (a)"), jobs)

        assert jobs.pod_requests == []

    @pytest.mark.parametrize("error", [InvalidPageToken("No."), PageTokenExpired("Too old.")])
    def test_error_for_the_token_is_raised(self, jobs: FakeJobs, error: Exception) -> None:
        """The list is never restarted silently."""
        jobs.before("page", raising(error))

        with pytest.raises(type(error)):
            list_jobs(TEAM_A, JobQuery(page_token="x"), jobs)


class TestAwaitJobs:
    """A wait for the end of a sweep."""

    @staticmethod
    def finishing(jobs: FakeJobs, *names: str, forever: bool = False) -> Callable[[], bool]:
        """Return a pause in which the next of *names* finishes; after the last one the time is over, or never."""
        left = iter(names)

        def pause() -> bool:
            name = next(left, None)
            if name:
                jobs.hold(TEAM_A, job(name, labels=SWEEP, status=ended("Failed")))
            return bool(name) or forever

        return pause

    def test_ends_when_all_have_finished(self, jobs: FakeJobs) -> None:
        """Also those on later pages count; Jobs that do not match do not."""
        count = PAGE + 2
        jobs.hold(TEAM_A, *(job(f"j-{number:04}", labels=SWEEP, status=ended("Complete")) for number in range(count)))
        jobs.hold(TEAM_A, job("j-0000", labels=SWEEP), job(f"j-{count - 1:04}", labels=SWEEP), job("other"))
        query = ListQuery(label="sweep=7", until="finished", limit=2)

        page = await_jobs(TEAM_A, query, jobs, self.finishing(jobs, "j-0000", f"j-{count - 1:04}", "other"))

        assert (names(page), page.unfinished) == (["j-0000", "j-0001"], 0)
        assert jobs.jobs[TEAM_A, "other"].finished is None

    def test_time_is_over(self, jobs: FakeJobs) -> None:
        """The page is as it is then, and `unfinished` says that the wait is to be repeated."""
        jobs.hold(TEAM_A, *(job(name, labels=SWEEP) for name in "abc"))

        page = await_jobs(TEAM_A, ListQuery(until="finished", limit=1), jobs, self.finishing(jobs, "a"))

        assert (names(page), page.unfinished, page.next_page_token is None) == (["a"], 2, False)

    def test_status_selects_of_the_result(self, jobs: FakeJobs) -> None:
        """A wait for all and a list of the failed ones are one request."""
        jobs.hold(TEAM_A, job("a", labels=SWEEP), job("b", labels=SWEEP, status=ended("Complete")))
        query = ListQuery(status=("Failed",), until="finished")

        page = await_jobs(TEAM_A, query, jobs, self.finishing(jobs, "a", forever=True))

        assert (names(page), page.unfinished) == (["a"], 0)

    def test_later_pages_and_lists_do_not_wait(self, jobs: FakeJobs) -> None:
        """Programs that follow page tokens repeat all parameters. Without `until` there is no count."""
        jobs.hold(TEAM_A, *(job(name, labels=SWEEP) for name in "abc"))
        first = await_jobs(TEAM_A, ListQuery(until="finished", limit=2), jobs, lambda: False)

        def pause() -> bool:
            raise AssertionError("waited")

        second = await_jobs(TEAM_A, ListQuery(until="finished", page_token=first.next_page_token), jobs, pause)
        plain = await_jobs(TEAM_A, ListQuery(), jobs, pause)

        assert (names(second), second.unfinished, plain.unfinished) == (["c"], msgspec.UNSET, msgspec.UNSET)

    def test_nothing_matches(self, jobs: FakeJobs) -> None:
        """There is nothing to wait for."""
        page = await_jobs(TEAM_A, ListQuery(label="sweep=8", until="finished"), jobs, lambda: False)

        assert (page.data, page.unfinished) == ([], 0)
