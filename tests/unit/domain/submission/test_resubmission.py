"""What follows from a Job that was submitted: a clone, or a retry of its failed indexes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from chalicelib.domain.errors import InvalidJob, JobNotFinished, JobNotRetriable, MalformedRequest, SubmissionUnknown
from chalicelib.domain.kubernetes.jobs import Job, JobSpec, JobStatus
from chalicelib.domain.labels import SUBMISSION_ANNOTATION
from chalicelib.domain.submission.reserved_variables import INDEX_MAP
from chalicelib.domain.submission.resubmission import clone_of, retry_of
from tests.support.builders import TEAM_A, ended, job, submission
from tests.support.submissions import submissions

if TYPE_CHECKING:
    from chalicelib.domain.submission.model import Submission

ARRAY: dict[str, Any] = {"name": "sweep", "indexed": True, "completions": 4, "parallelism": 3}


def made(asked: Submission, completed: str = "", *, status: JobStatus | None = None) -> Job:
    """The Job of *asked*, which has failed with those indexes completed, or is in that *status*."""
    state = status or ended("Failed", "FailedIndexes")
    state.completed_indexes = completed
    spec = JobSpec(completions=asked.completions, completion_mode="Indexed" if asked.indexed else "NonIndexed")
    annotations = {SUBMISSION_ANNOTATION: asked.as_submitted.decode()}
    return job(asked.name or "train-1", spec=spec, status=state, annotations=annotations)


def cloned(patch: object, *, keyed: bool = False, **fields: object) -> Submission:
    """The clone, changed by *patch*, of a submission with *fields*."""
    return clone_of(TEAM_A, made(submission(**fields)), patch, keyed=keyed)


def retried(completed: str, **fields: object) -> Submission:
    """The retry of an array with *fields* of which those indexes completed."""
    return retry_of(TEAM_A, made(submission(**{**ARRAY, **fields}), completed), "again")


def odd(text: str | None) -> Job:
    """A finished Job that carries *text* as its submission."""
    annotations = {} if text is None else {SUBMISSION_ANNOTATION: text}
    return job(spec=JobSpec(completions=2, completion_mode="Indexed"), status=ended("Failed"), annotations=annotations)


class TestClone:
    """A Job like another."""

    @given(submissions())
    def test_without_a_change_is_the_same_but_for_the_name(self, asked: Submission) -> None:
        """Whatever was asked is asked again."""
        expected = asked.model_copy(update={"name": None, "project": "team-a"})

        assert clone_of(TEAM_A, made(asked), {}, keyed=False).as_submitted == expected.as_submitted

    def test_is_changed_by_the_patch(self) -> None:
        """One variable is replaced, one goes, one stays; so does a Secret's reference."""
        secret = {"secret": {"name": "hub", "key": "token"}}
        environment = {"LR": "1", "SEED": "7", "TOKEN": secret}

        patch = {"environment": {"LR": "2", "SEED": None}, "gpu": 4, "name": "train-2"}

        found = cloned(patch, environment=environment, gpu=1, name="train-1")

        assert json.loads(found.as_submitted) == {
            "project": "team-a",
            "name": "train-2",
            "image": "busybox",
            "environment": {"LR": "2", "TOKEN": secret},
            "gpu": 4,
        }

    @pytest.mark.parametrize(("keyed", "expected"), [(False, "sweep"), (True, None)])
    def test_inherits_the_prefix_unless_a_key_makes_the_name(self, keyed: bool, expected: str | None) -> None:
        """Beside a key a prefix is refused, and the caller did not send this one."""
        assert cloned({}, keyed=keyed, jobNamePrefix="sweep").job_name_prefix == expected

    @pytest.mark.parametrize("project", ["team-b", None, 7])
    def test_stays_in_its_project(self, project: object) -> None:
        """Another Project's Jobs are submitted there, by those who may."""
        with pytest.raises(InvalidJob) as refused:
            cloned({"project": project})

        assert [one.pointer for one in refused.value.errors] == ["/project"]

    def test_project_is_that_of_the_path(self) -> None:
        """Whatever the annotation says, which those may write who may change the Job."""
        assert clone_of(TEAM_A, odd('{"project": "team-b", "image": "x"}'), {}, keyed=False).project == "team-a"

    @pytest.mark.parametrize(
        ("patch", "pointer"), [([], ""), (None, ""), ("x", ""), ({"gpu": "1"}, "/gpu"), ({"image": None}, "/image")]
    )
    def test_refusal_names_the_place(self, patch: object, pointer: str) -> None:
        """The patched submission is checked as any other."""
        with pytest.raises(InvalidJob) as refused:
            cloned(patch)

        assert [one.pointer for one in refused.value.errors] == [pointer]

    def test_deep_nesting_is_refused(self) -> None:
        """However deep a body is, it is answered."""
        patch: dict[str, Any] = {}
        for _ in range(100_000):
            patch = {"a": patch}

        with pytest.raises(MalformedRequest):
            cloned(patch)


class TestUnknown:
    """A Job of which nobody knows what was asked."""

    @pytest.mark.parametrize("text", [None, "", "{", "[]", "null", '{"a": 1, "a": 2}'])
    def test_is_told(self, text: str | None) -> None:
        """It was made by other means, or somebody changed what it carries."""
        with pytest.raises(SubmissionUnknown):
            clone_of(TEAM_A, odd(text), {}, keyed=False)
        with pytest.raises(SubmissionUnknown):
            retry_of(TEAM_A, odd(text), "again")

    @pytest.mark.parametrize("text", ["{}", '{"project": "team-a", "image": "x", "parallelism": "3"}'])
    def test_odd_one_is_refused_as_any_submission(self, text: str) -> None:
        """Nothing of it reaches the cluster unchecked."""
        with pytest.raises(InvalidJob):
            retry_of(TEAM_A, odd(text), "again")


class TestRetry:
    """The failed indexes once more."""

    def test_runs_what_was_not_completed(self) -> None:
        """As many indexes as are left, and the environment tells which they are."""
        found = retried("0,2", environment={"SEED": "7"})

        assert (found.completions, found.parallelism, found.indexed) == (2, 2, True)
        assert found.environment == {"SEED": "7", INDEX_MAP: "1,3"}

    def test_of_a_retry_names_the_first_jobs_indexes(self) -> None:
        """Index 1 of a retry that ran 1 and 3 is 3."""
        assert retried("0", completions=2, environment={INDEX_MAP: "1,3"}).environment[INDEX_MAP] == "3"

    @pytest.mark.parametrize("text", ["1,3", "x", {"secret": {"name": "s", "key": "k"}}])
    def test_map_of_ones_own_is_no_map(self, text: object) -> None:
        """What does not name as many indexes as the Job has, no retry has written."""
        assert retried("0", environment={INDEX_MAP: text}).environment[INDEX_MAP] == "1,2,3"

    def test_is_the_same_each_time(self) -> None:
        """So the retry is made once; it has the one name, which a prefix would contradict."""
        one, other = (retried("0,2", name=None, jobNamePrefix="sweep") for _ in range(2))

        assert one.as_submitted == other.as_submitted
        assert (one.name, one.job_name_prefix) == ("again", None)

    @pytest.mark.parametrize(("asked", "expected"), [(None, None), (0, 0), (1, 1), (4, 2)])
    def test_bounds_the_failures_by_its_indexes(self, asked: int | None, expected: int | None) -> None:
        """Kubernetes refuses more of them than there are indexes."""
        assert retried("0,2", backoffLimitPerIndex=0, maxFailedIndexes=asked).max_failed_indexes == expected

    def test_waits_for_the_end(self) -> None:
        """While the Job runs, nobody knows what fails."""
        with pytest.raises(JobNotFinished):
            retry_of(TEAM_A, made(submission(**ARRAY), "0", status=JobStatus()), "again")

    @pytest.mark.parametrize(
        ("fields", "completed", "why"),
        [
            pytest.param(ARRAY, "0-3", "has completed", id="nothing failed"),
            pytest.param({}, "", "indexed", id="no indexes"),
            pytest.param({"nodes": 2}, "0", "indexed", id="ranks, which only work together"),
            pytest.param({**ARRAY, "completions": 9_000}, "", "Too many indexes", id="too many for a variable"),
        ],
    )
    def test_what_cannot_be_retried_is_told(self, fields: dict[str, object], completed: str, why: str) -> None:
        """With what to do instead."""
        with pytest.raises(JobNotRetriable, match=why):
            retry_of(TEAM_A, made(submission(**fields), completed), "again")
