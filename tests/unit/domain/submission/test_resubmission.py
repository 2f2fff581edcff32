"""Tests of clones and retries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from chalicelib.domain.errors import InvalidJob, JobNotFinished, JobNotRetriable, MalformedRequest, SubmissionUnknown
from chalicelib.domain.kubernetes.jobs import Job, JobSpec, JobStatus
from chalicelib.domain.labels import SUBMISSION_ANNOTATION
from chalicelib.domain.submission.fields import MAX_VARIABLES
from chalicelib.domain.submission.reserved_variables import INDEX_MAP
from chalicelib.domain.submission.resubmission import clone_of, retry_of
from tests.support.builders import TEAM_A, ended, job, submission
from tests.support.submissions import submissions

if TYPE_CHECKING:
    from chalicelib.domain.submission.model import Submission

ARRAY: dict[str, Any] = {"name": "sweep", "indexed": True, "completions": 4, "parallelism": 3}


def job_of(original: Submission, completed: str = "", *, status: JobStatus | None = None) -> Job:
    """Return the Job of *original*, failed with the indexes *completed*, or with *status*."""
    state = status or ended("Failed", "FailedIndexes")
    state.completed_indexes = completed
    spec = JobSpec(completions=original.completions, completion_mode="Indexed" if original.indexed else "NonIndexed")
    annotations = {SUBMISSION_ANNOTATION: original.as_submitted.decode()}
    return job(original.name or "train-1", spec=spec, status=state, annotations=annotations)


def cloned(patch: object, *, keyed: bool = False, **fields: object) -> Submission:
    """Return the clone of a Job with *fields*, changed by *patch*."""
    return clone_of(TEAM_A, job_of(submission(**fields)), patch, keyed=keyed)


def retried(completed: str, **fields: object) -> Submission:
    """Return the retry of an Indexed Job with *fields*, of which the indexes *completed* are complete."""
    return retry_of(TEAM_A, job_of(submission(**{**ARRAY, **fields}), completed), "again")


def annotated(text: str | None) -> Job:
    """Return a finished Job with *text* as the submission annotation."""
    annotations = {} if text is None else {SUBMISSION_ANNOTATION: text}
    return job(spec=JobSpec(completions=2, completion_mode="Indexed"), status=ended("Failed"), annotations=annotations)


class TestClone:
    """Tests of clone_of."""

    @given(submissions())
    def test_empty_patch(self, original: Submission) -> None:
        """Without changes, the clone has the same submission except for the name."""
        expected = original.model_copy(update={"name": None, "project": "team-a"})

        assert clone_of(TEAM_A, job_of(original), {}, keyed=False).as_submitted == expected.as_submitted

    def test_patch(self) -> None:
        """A patch replaces, removes and adds fields and variables; other values are kept."""
        secret = {"secret": {"name": "hub", "key": "token"}}
        environment = {"LR": "1", "SEED": "7", "TOKEN": secret}

        patch = {"environment": {"LR": "2", "SEED": None}, "gpu": 4, "name": "train-2"}

        clone = cloned(patch, environment=environment, gpu=1, name="train-1")

        assert json.loads(clone.as_submitted) == {
            "project": "team-a",
            "name": "train-2",
            "image": "busybox",
            "environment": {"LR": "2", "TOKEN": secret},
            "gpu": 4,
        }

    @pytest.mark.parametrize(("keyed", "expected"), [(False, "sweep"), (True, None)])
    def test_name_prefix(self, keyed: bool, expected: str | None) -> None:
        """The prefix is inherited, except with an Idempotency-Key, which generates the name."""
        assert cloned({}, keyed=keyed, jobNamePrefix="sweep").job_name_prefix == expected

    @pytest.mark.parametrize("project", ["team-b", None, 7])
    def test_other_project_is_rejected(self, project: object) -> None:
        """A clone cannot be in another Project."""
        with pytest.raises(InvalidJob) as error:
            cloned({"project": project})

        assert [each.pointer for each in error.value.errors] == ["/project"]

    def test_project_of_the_annotation_is_ignored(self) -> None:
        """The Project is that of the request, since users can edit the annotation."""
        assert clone_of(TEAM_A, annotated('{"project": "team-b", "image": "x"}'), {}, keyed=False).project == "team-a"

    @pytest.mark.parametrize(
        ("patch", "pointer"), [([], ""), (None, ""), ("x", ""), ({"gpu": "1"}, "/gpu"), ({"image": None}, "/image")]
    )
    def test_invalid_patch(self, patch: object, pointer: str) -> None:
        """The patched submission is validated like any other."""
        with pytest.raises(InvalidJob) as error:
            cloned(patch)

        assert [each.pointer for each in error.value.errors] == [pointer]

    def test_deep_nesting_is_rejected(self) -> None:
        """A deeply nested patch raises MalformedRequest."""
        patch: dict[str, Any] = {}
        for _ in range(100_000):
            patch = {"a": patch}

        with pytest.raises(MalformedRequest):
            cloned(patch)


class TestSubmissionUnknown:
    """Tests of Jobs without a valid submission annotation."""

    @pytest.mark.parametrize("text", [None, "", "{", "[]", "null", '{"a": 1, "a": 2}'])
    def test_missing_or_invalid(self, text: str | None) -> None:
        """A missing annotation, or one that is not a JSON object, raises SubmissionUnknown."""
        with pytest.raises(SubmissionUnknown):
            clone_of(TEAM_A, annotated(text), {}, keyed=False)
        with pytest.raises(SubmissionUnknown):
            retry_of(TEAM_A, annotated(text), "again")

    @pytest.mark.parametrize("text", ["{}", '{"project": "team-a", "image": "x", "parallelism": "3"}'])
    def test_invalid_submission(self, text: str) -> None:
        """The submission in the annotation is validated like any other."""
        with pytest.raises(InvalidJob):
            retry_of(TEAM_A, annotated(text), "again")


class TestRetry:
    """Tests of retry_of."""

    def test_runs_incomplete_indexes(self) -> None:
        """A retry has one completion for each incomplete index; a variable maps them to the original indexes."""
        retry = retried("0,2", environment={"SEED": "7"})

        assert (retry.completions, retry.parallelism, retry.indexed) == (2, 2, True)
        assert retry.environment == {"SEED": "7", INDEX_MAP: "1,3"}

    def test_retry_has_one_variable_more(self) -> None:
        """A Job with the maximum number of variables can be retried, and its retry cloned and retried."""
        variables = {f"V{number}": "x" for number in range(MAX_VARIABLES)}

        retry = retried("0,2", environment=variables)

        assert retry.environment == {**variables, INDEX_MAP: "1,3"}
        assert retried("0", completions=2, environment=retry.environment).environment[INDEX_MAP] == "3"

    def test_retry_of_a_retry(self) -> None:
        """The indexes are those of the first Job."""
        assert retried("0", completions=2, environment={INDEX_MAP: "1,3"}).environment[INDEX_MAP] == "3"

    @pytest.mark.parametrize("text", ["1,3", "x", {"secret": {"name": "s", "key": "k"}}])
    def test_invalid_index_map_is_ignored(self, text: object) -> None:
        """A variable of the user that does not have one index for each completion is not an index map."""
        assert retried("0", environment={INDEX_MAP: text}).environment[INDEX_MAP] == "1,2,3"

    def test_is_deterministic(self) -> None:
        """Two retries of the same Job are identical, so that only one Job is created; the prefix is not inherited."""
        first, second = (retried("0,2", name=None, jobNamePrefix="sweep") for _ in range(2))

        assert first.as_submitted == second.as_submitted
        assert (first.name, first.job_name_prefix) == ("again", None)

    @pytest.mark.parametrize(("limit", "expected"), [(None, None), (0, 0), (1, 1), (4, 2)])
    def test_max_failed_indexes(self, limit: int | None, expected: int | None) -> None:
        """The limit is at most the number of indexes, as Kubernetes requires."""
        assert retried("0,2", backoffLimitPerIndex=0, maxFailedIndexes=limit).max_failed_indexes == expected

    def test_unfinished_job(self) -> None:
        """A Job cannot be retried before it has finished."""
        with pytest.raises(JobNotFinished):
            retry_of(TEAM_A, job_of(submission(**ARRAY), "0", status=JobStatus()), "again")

    @pytest.mark.parametrize(
        ("fields", "completed", "reason"),
        [
            pytest.param(ARRAY, "0-3", "has completed", id="nothing failed"),
            pytest.param({}, "", "indexed", id="not Indexed"),
            pytest.param({"nodes": 2}, "0", "indexed", id="multi-node"),
            pytest.param({**ARRAY, "completions": 9_000}, "", "Too many indexes", id="too many indexes"),
        ],
    )
    def test_not_retriable(self, fields: dict[str, object], completed: str, reason: str) -> None:
        """The error has the reason."""
        with pytest.raises(JobNotRetriable, match=reason):
            retry_of(TEAM_A, job_of(submission(**fields), completed), "again")
