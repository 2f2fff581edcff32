"""List Jobs."""

from __future__ import annotations

import json
from typing import get_args

import msgspec
import pytest

from chalicelib.domain.errors import Forbidden, InvalidPageToken, MalformedRequest, PageTokenExpired
from chalicelib.domain.job.status import Status
from chalicelib.domain.kubernetes.jobs import OwnerReference
from chalicelib.domain.labels import JOB_TYPE_LABEL, USER_LABEL
from chalicelib.domain.names import JobName, ProjectName
from chalicelib.domain.parsing.strict_json import query_parameters
from chalicelib.usecases.get_job import get_job
from chalicelib.usecases.list_jobs import JobPage, JobQuery, list_jobs
from tests.support.builders import NOW, TEAM_A, ended, job, pod, unscheduled
from tests.support.fakes import FakeJobs, raising

TEAM_B = ProjectName("team-b")


def names(page: JobPage) -> list[str]:
    """Return the names of the page's Jobs, in order."""
    return [each.name for each in page.data]


class TestJobQuery:
    """Validation of the query."""

    def test_defaults(self) -> None:
        """The default is a page of 100 Jobs."""
        assert query_parameters({}, JobQuery) == JobQuery(limit=100)

    @pytest.mark.parametrize(
        ("name", "valid", "invalid"),
        [
            ("limit", ["1", "500"], ["0", "501"]),
            ("status", [*get_args(Status)], ["running", ""]),
            ("jobTypeFilter", ["Train", "Interactive"], ["Inference"]),
            ("user", ["a", "a" * 128], ["", "a" * 129]),
            ("label", ["a" * 1024], ["", "a" * 1025]),
            ("pageToken", ["eyJ2IjoibWV0YSJ9-_=", "a" * 4096], ["", "a b", "a" * 4097]),
        ],
    )
    def test_limits(self, name: str, valid: list[str], invalid: list[str]) -> None:
        """Limits are inclusive, and an empty filter is an error."""
        for text in valid:
            assert str(msgspec.to_builtins(query_parameters({name: [text]}, JobQuery))[name]) == text
        for text in invalid:
            with pytest.raises(MalformedRequest):
                query_parameters({name: [text]}, JobQuery)


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

    def test_status_filter_makes_a_page_short(self, jobs: FakeJobs) -> None:
        """The status is filtered after the cluster made the page, and the token continues after it."""
        jobs.hold(TEAM_A, job("a"), job("b", status=ended("Failed")), job("c", status=ended("Failed")))

        page = list_jobs(TEAM_A, JobQuery(status="Failed", limit=2), jobs)

        assert names(page) == ["b"]
        assert page.next_page_token is not None

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
        query = JobQuery(status="Pending")
        pages: list[JobPage] = []
        while not pages or query.page_token:
            pages.append(list_jobs(TEAM_A, query, jobs))
            query = JobQuery(status="Pending", page_token=pages[-1].next_page_token)

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
