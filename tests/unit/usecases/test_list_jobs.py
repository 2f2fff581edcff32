"""List and inspect Jobs."""

from __future__ import annotations

import json
from typing import get_args

import msgspec
import pytest

from chalicelib.domain.errors import Forbidden, InvalidPageToken, MalformedRequest, PageTokenExpired
from chalicelib.domain.job.view import Status
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
    """The names of the page's Jobs, as they stand."""
    return [one.name for one in page.data]


class TestJobQuery:
    """Which Jobs a list shows, as the query says it."""

    def test_nothing_asked(self) -> None:
        """The first hundred Jobs."""
        assert query_parameters({}, JobQuery) == JobQuery(limit=100)

    @pytest.mark.parametrize(
        ("name", "taken", "refused"),
        [
            ("limit", ["1", "500"], ["0", "501"]),
            ("status", [*get_args(Status)], ["running", ""]),
            ("jobTypeFilter", ["Train", "Interactive"], ["Inference"]),
            ("user", ["a", "a" * 128], ["", "a" * 129]),
            ("label", ["a" * 1024], ["", "a" * 1025]),
            ("pageToken", ["eyJ2IjoibWV0YSJ9-_=", "a" * 4096], ["", "a b", "a" * 4097]),
        ],
    )
    def test_limits(self, name: str, taken: list[str], refused: list[str]) -> None:
        """Both ends of every limit are inside. An empty filter is a mistake, not all Jobs."""
        for text in taken:
            assert str(msgspec.to_builtins(query_parameters({name: [text]}, JobQuery))[name]) == text
        for text in refused:
            with pytest.raises(MalformedRequest):
                query_parameters({name: [text]}, JobQuery)


class TestListJobs:
    """A page of a Project's Jobs."""

    def test_jobs_of_the_project_by_name(self) -> None:
        """And of no other Project."""
        jobs = FakeJobs(TEAM_A, TEAM_B)
        jobs.hold(TEAM_A, job("b"), job("a"), job("c.d"))
        jobs.hold(TEAM_B, job("other"))

        assert names(list_jobs(TEAM_A, JobQuery(), jobs)) == ["a", "b", "c.d"]

    def test_pages_follow_each_other(self, jobs: FakeJobs) -> None:
        """Each Job is on one page; the last page says so."""
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
    def test_filters_add_up(self, jobs: FakeJobs, query: JobQuery, expected: list[str]) -> None:
        """The cluster filters by labels; all filters must hold."""
        jobs.hold(
            TEAM_A,
            job("a", labels={USER_LABEL: "alice", JOB_TYPE_LABEL: "Train"}),
            job("b", labels={USER_LABEL: "bob", JOB_TYPE_LABEL: "Train", "team": "vision"}),
            job("c", labels={USER_LABEL: "alice", JOB_TYPE_LABEL: "Interactive", "team": "vision"}),
        )

        assert expected == names(list_jobs(TEAM_A, query, jobs))

    def test_status_filter_makes_a_page_short(self, jobs: FakeJobs) -> None:
        """The cluster cuts the page before we know the statuses: the token still leads on."""
        jobs.hold(TEAM_A, job("a"), job("b", status=ended("Failed")), job("c", status=ended("Failed")))

        page = list_jobs(TEAM_A, JobQuery(status="Failed", limit=2), jobs)

        assert names(page) == ["b"]
        assert page.next_page_token is not None

    def test_pods_are_asked_for_once_and_only_of_unfinished_jobs(self, jobs: FakeJobs) -> None:
        """Never a call for each Job; the pods of finished ones cannot say more than the Job."""
        jobs.hold(TEAM_A, job("a"), job("b", status=ended("Complete")), job("c"), job("d", deletion_timestamp=NOW))

        list_jobs(TEAM_A, JobQuery(), jobs)

        assert jobs.asked_for_pods == [["a", "c", "d"]]

    def test_each_job_has_its_own_pods(self, jobs: FakeJobs) -> None:
        """The statuses are not mixed up."""
        jobs.hold(TEAM_A, job("a"), job("b"), job("c"))
        jobs.all_pods += [
            (TEAM_A, pod("Running", name="a-1", owner="uid-of-a")),
            (TEAM_A, pod("Pending", name="b-1", owner="uid-of-b", status=unscheduled())),
        ]

        page = list_jobs(TEAM_A, JobQuery(), jobs)

        expected = [("Running", None), ("Pending", "Unschedulable"), ("Pending", None)]
        assert expected == [(one.status, one.reason) for one in page.data]

    def test_pod_may_have_more_owners_or_none(self, jobs: FakeJobs) -> None:
        """Any of them may be the Job; a label selector also finds pods of a former Job of that name, of another uid."""
        jobs.hold(TEAM_A, job("a"))
        owners = [OwnerReference(uid="other"), OwnerReference(uid="uid-of-a")]
        jobs.all_pods += [
            (TEAM_A, pod("Running", name="a-1", owner_references=owners)),
            (TEAM_A, pod("Failed", name="a-2", owner_references=[])),
            (TEAM_A, pod("Running", name="b-1", owner="uid-of-the-former")),
        ]
        jobs.hold(TEAM_A, job("b"))

        assert [one.status for one in list_jobs(TEAM_A, JobQuery(), jobs).data] == ["Running", "Pending"]
        assert [get_job(TEAM_A, JobName(name), jobs)[0].status for name in "ab"] == ["Running", "Pending"]

    def test_page_is_cut_where_its_text_is_too_large(self, jobs: FakeJobs) -> None:
        """Lambda would answer 502. Each Job is on one page, and what the status leaves out takes no room."""
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

    def test_job_that_is_too_large_is_shown_alone(self, jobs: FakeJobs) -> None:
        """A page has one Job at least, and so the next page begins behind it."""
        jobs.hold(TEAM_A, job("a", labels={"a": "b" * 6_000_000}), job("b"))

        first = list_jobs(TEAM_A, JobQuery(), jobs)

        assert (names(first), first.next_page_token is None) == (["a"], False)

    def test_other_teams_project_is_refused(self) -> None:
        """Nothing of it is told."""
        with pytest.raises(Forbidden):
            list_jobs(TEAM_B, JobQuery(), FakeJobs(TEAM_A))

    def test_selector_that_is_none_asks_nobody(self, jobs: FakeJobs) -> None:
        """A filter that cannot be read is never widened to all Jobs."""
        jobs.hold(TEAM_A, job("a"))

        with pytest.raises(MalformedRequest):
            list_jobs(TEAM_A, JobQuery(label="team in (a)"), jobs)

        assert jobs.asked_for_pods == []

    @pytest.mark.parametrize("error", [InvalidPageToken("No."), PageTokenExpired("Too old.")])
    def test_clusters_word_on_the_token_stands(self, jobs: FakeJobs, error: Exception) -> None:
        """A page is never answered from somewhere else."""
        jobs.before("page", raising(error))

        with pytest.raises(type(error)):
            list_jobs(TEAM_A, JobQuery(page_token="x"), jobs)
