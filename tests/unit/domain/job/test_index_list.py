"""Tests of the list of indexes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import InvalidPageToken
from chalicelib.domain.job.index_list import (
    FAILURE_COUNTS,
    INDEX_EXAMPLE,
    Indexes,
    IndexQuery,
    IndexView,
    index_page,
    index_view,
    job_indexes,
)
from chalicelib.domain.kubernetes.jobs import Condition, Job, JobSpec, JobStatus
from chalicelib.domain.kubernetes.pods import Pod
from chalicelib.domain.labels import COMPLETION_INDEX_ANNOTATION
from tests.support.builders import disrupted, exited, job, minutes_ago, pod, running, waiting
from tests.support.kubernetes_objects import objects

SPEC = JobSpec(completion_mode="Indexed", completions=4)
FAILED = [Condition(type="Failed", status="True")]


def of_index(index: int, phase: str = "Failed", age: float = 5, **fields: Any) -> Pod:  # noqa: ANN401 - any field
    """Return a pod of *index*, created *age* minutes ago."""
    annotations = {COMPLETION_INDEX_ANNOTATION: str(index), **fields.pop("annotations", {})}
    return pod(phase, annotations=annotations, creation_timestamp=minutes_ago(age), **fields)


class TestJobIndexes:
    """Tests of job_indexes."""

    @pytest.mark.parametrize(
        ("status", "pods", "expected"),
        [
            pytest.param({"completed_indexes": "0,2", "failed_indexes": "1"}, [], ({0, 2}, {1}), id="counted"),
            pytest.param({"completed_indexes": "0", "conditions": FAILED}, [0, 3], ({0}, {3}), id="by the pods"),
            pytest.param({"failed_indexes": "", "conditions": FAILED}, [3], (set(), set()), id="none counted"),
            pytest.param({"completed_indexes": "0"}, [3], ({0}, set()), id="a retry is possible"),
        ],
    )
    def test_failed_indexes(self, status: dict[str, Any], pods: list[int], expected: tuple[set[int], set[int]]) -> None:
        """Without a limit for each index, the pods of a failed Job show its failed indexes."""
        subject = job(spec=SPEC, status=JobStatus(**status))

        assert job_indexes(subject, [of_index(index) for index in pods])[1:] == expected

    def test_not_indexed(self) -> None:
        """Another Job has no indexes."""
        assert job_indexes(job(), []).completions == 0


class TestIndexPage:
    """Tests of index_page."""

    FOUND = Indexes(6, {0, 4}, {1, 5})

    @pytest.mark.parametrize(
        ("status", "expected"),
        [("failed", [1, 5]), ("succeeded", [0, 4]), ("unfinished", [2, 3]), (None, [0, 1, 2, 3, 4, 5])],
    )
    @pytest.mark.parametrize("limit", [1, 2, 3, 500])
    def test_pages_have_each_index_once(self, status: Any, expected: list[int], limit: int) -> None:  # noqa: ANN401 - a literal
        """All pages together have all indexes with the status in order, and only the last one has no token."""
        pages: list[list[int]] = []
        token: str | None = ""
        while token is not None:
            page, token = index_page(self.FOUND, IndexQuery(status=status, limit=limit, page_token=token or None))
            pages.append(page)

        assert [index for page in pages for index in page] == expected
        assert all(len(page) == limit for page in pages[:-1])
        assert pages[-1] or not expected

    @pytest.mark.parametrize("token", ["6", "9999999999"])
    def test_token_of_another_list(self, token: str) -> None:
        """A token behind the last index was not issued for this list."""
        with pytest.raises(InvalidPageToken):
            index_page(self.FOUND, IndexQuery(page_token=token))


class TestIndexView:
    """Tests of index_view."""

    @pytest.mark.parametrize(
        ("status", "pods", "expected"),
        [
            pytest.param("failed", [of_index(1, age=9, name="a", status=exited(1)), of_index(1, name="b",
                         status=exited(3))], (2, 3, "Error", "b"), id="the last attempt"),
            pytest.param("succeeded", [of_index(1, age=1, name="a", status=exited(1)), of_index(1, "Succeeded",
                         name="b", status=exited(0))], (2, 0, None, "b"), id="the pod that succeeded"),
            pytest.param("succeeded", [], (None, 0, None, None), id="succeeded and gone"),
            pytest.param("failed", [], (None, None, None, None), id="failed and gone"),
            pytest.param("failed", [of_index(1, name="a", status=exited(1), annotations=dict.fromkeys(FAILURE_COUNTS,
                         "2"))], (5, 1, "Error", "a"), id="earlier pods are gone, but counted"),
            pytest.param("failed", [of_index(1, name="a", status=disrupted("DeletionByTaintManager"))],
                         (1, None, "NodeLost", "a"), id="unknown exit code"),
            pytest.param("unfinished", [of_index(1, "Running", name="a", status=running())],
                         (1, None, None, "a"), id="running"),
            pytest.param("unfinished", [of_index(1, "Pending", name="a", status=waiting("ImagePullBackOff"))],
                         (1, None, "ImagePullBackOff", "a"), id="waiting"),
        ],
    )  # fmt: skip
    def test_last_attempt(self, status: Any, pods: list[Pod], expected: tuple[object, ...]) -> None:  # noqa: ANN401 - a literal
        """Attempts, exit code, reason and pod are those of the attempt that decided the index."""
        found = index_view(job(spec=SPEC), 1, status, pods)

        assert (found.attempts, found.exit_code, found.reason, found.pod) == expected

    def test_times_and_node(self) -> None:
        """The times are those of the pod and of the container that failed."""
        last = of_index(1, status=exited(1, at=minutes_ago(1)), node="gpu-node-0")
        last.status.start_time = minutes_ago(4)

        found = index_view(job(spec=SPEC), 1, "failed", [last])

        assert found.node == "gpu-node-0"
        assert (found.finished_at or 0) - (found.started_at or 0) == 3 * 60_000

    def test_example(self) -> None:
        """The example in the OpenAPI document is valid."""
        assert msgspec.to_builtins(msgspec.convert(INDEX_EXAMPLE, IndexView)) == INDEX_EXAMPLE

    @given(objects(Job), st.lists(objects(Pod), max_size=3), st.sampled_from(["failed", "succeeded", "unfinished"]))
    def test_any_index_has_a_view(self, subject: Job, pods: list[Pod], status: Any) -> None:  # noqa: ANN401 - a literal
        """Any field can be missing or contain any value."""
        job_indexes(subject, pods)
        msgspec.json.encode(index_view(subject, 1, status, pods))
