"""Indexes in Kubernetes' compressed text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.kubernetes.completion_indexes import MAX_TEXT, indexes, truncated_indexes, unfinished_indexes
from chalicelib.domain.kubernetes.jobs import Job, JobSpec, JobStatus
from infra.localcluster.job_pods import format_indexes
from tests.support.builders import job


def array(completions: int | None, completed: str | None = None, mode: str = "Indexed") -> Job:
    """A Job of that many indexes, some of them completed."""
    spec = JobSpec(completions=completions, completion_mode=mode)
    return job(spec=spec, status=JobStatus(completed_indexes=completed))


class TestIndexes:
    """The indexes that a text means."""

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
    def test_are_read(self, text: str, expected: set[int]) -> None:
        """What is no interval means nothing, and none is without end."""
        assert indexes(text) == expected

    @given(st.frozensets(st.integers(0, 300)))
    def test_are_those_that_were_written(self, written: frozenset[int]) -> None:
        """Whatever Kubernetes writes is read so."""
        assert indexes(format_indexes(written)) == written

    @pytest.mark.parametrize("step", [0, 1])
    def test_overlapping_intervals(self, step: int) -> None:
        """Each index is looked at once: somebody may have written a status in which they come 50,000 times."""
        assert len(indexes(",".join(f"{step * number}-99999" for number in range(50_000)))) == 100_000


class TestUnfinished:
    """What a Job did not complete."""

    @pytest.mark.parametrize(
        ("found", "expected"),
        [
            pytest.param(array(5, "0,2-3"), [1, 4], id="some"),
            pytest.param(array(2), [0, 1], id="all"),
            pytest.param(array(2, "0,1"), [], id="none"),
            pytest.param(array(2, mode="NonIndexed"), [], id="no indexes"),
            pytest.param(array(None), [], id="no completions"),
            pytest.param(array(10**9), [], id="more than anybody could ask for"),
        ],
    )
    def test_indexes(self, found: Job, expected: list[int]) -> None:
        """In order."""
        assert unfinished_indexes(found) == expected


class TestShown:
    """What a view says."""

    def test_text_is_kubernetes_own(self) -> None:
        """Passed on as it is; empty where none is there yet, and null where the Job has no indexes."""
        assert [truncated_indexes(text, array(9)) for text in ("1,3-5", None)] == ["1,3-5", ""]
        assert truncated_indexes("1", array(9, mode="NonIndexed")) is None

    def test_long_text_is_cut_between_two_indexes(self) -> None:
        """A page of 500 Jobs must fit into an answer."""
        text = ",".join(str(index) for index in range(1001, 1999, 2))

        shown = truncated_indexes(text, array(9)) or ""

        assert shown.endswith(",...")
        assert len(shown) <= MAX_TEXT + 4
        assert indexes(shown) <= indexes(text)
