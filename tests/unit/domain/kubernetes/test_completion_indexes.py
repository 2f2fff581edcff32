"""Tests of completion indexes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.kubernetes.completion_indexes import MAX_TEXT, indexes, truncated_indexes, unfinished_indexes
from chalicelib.domain.kubernetes.jobs import Job, JobSpec, JobStatus
from infra.localcluster.job_pods import format_indexes
from tests.support.builders import job


def array(completions: int | None, completed: str | None = None, mode: str = "Indexed") -> Job:
    """Return a Job with *completions* indexes, of which *completed* are completed."""
    spec = JobSpec(completions=completions, completion_mode=mode)
    return job(spec=spec, status=JobStatus(completed_indexes=completed))


class TestIndexes:
    """Tests of indexes."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", set()),
            ("0", {0}),
            ("1,3-5,7", {1, 3, 4, 5, 7}),
            ("5-3", set()),
            ("1,x,-2,3-,4", {1, 4}),
            ("1\n", set()),
            ("99999-999999", {99_999, 100_000}),
        ],
    )
    def test_parsed(self, text: str, expected: set[int]) -> None:
        """Invalid intervals are ignored, and large ones are limited."""
        assert indexes(text) == expected

    @given(st.frozensets(st.integers(0, 300)))
    def test_round_trip(self, original: frozenset[int]) -> None:
        """The format of Kubernetes is parsed to the original indexes."""
        assert indexes(format_indexes(original)) == original

    @pytest.mark.parametrize("step", [0, 1])
    def test_overlapping_intervals(self, step: int) -> None:
        """Each index is visited once, even if the status contains 50,000 overlapping intervals."""
        assert len(indexes(",".join(f"{step * number}-99999" for number in range(50_000)))) == 100_000


class TestUnfinishedIndexes:
    """Tests of unfinished_indexes."""

    @pytest.mark.parametrize(
        ("subject", "expected"),
        [
            pytest.param(array(5, "0,2-3"), [1, 4], id="some"),
            pytest.param(array(2), [0, 1], id="all"),
            pytest.param(array(2, "0,1"), [], id="none"),
            pytest.param(array(2, mode="NonIndexed"), [], id="not Indexed"),
            pytest.param(array(None), [], id="no completions"),
            pytest.param(array(10**9), [], id="too many"),
        ],
    )
    def test_indexes(self, subject: Job, expected: list[int]) -> None:
        """The indexes that have not completed are returned in order."""
        assert unfinished_indexes(subject) == expected


class TestTruncatedIndexes:
    """Tests of truncated_indexes."""

    def test_short_text(self) -> None:
        """A short text is unchanged; it is empty if not set, and None if the Job is not Indexed."""
        assert [truncated_indexes(text, array(9)) for text in ("1,3-5", None)] == ["1,3-5", ""]
        assert truncated_indexes("1", array(9, mode="NonIndexed")) is None

    def test_long_text_is_truncated(self) -> None:
        """A long text is truncated after a whole index, so that a page of Jobs fits into a response."""
        text = ",".join(str(index) for index in range(1001, 1999, 2))

        truncated = truncated_indexes(text, array(9)) or ""

        assert truncated.endswith(",...")
        assert len(truncated) <= MAX_TEXT + 4
        assert indexes(truncated) <= indexes(text)
