"""Which log is meant, and what is shown of it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import JobNotStarted, LogGone, MalformedRequest
from chalicelib.domain.job.logs import MAX_BYTES, ContainerRun, LogQuery, index_of, select_attempt, tail_bytes
from chalicelib.domain.kubernetes.jobs import Container, Job, JobSpec, JobStatus
from chalicelib.domain.kubernetes.pods import ContainerState, ContainerStatus, Pod, PodStatus, Terminated
from chalicelib.domain.labels import COMPLETION_INDEX_ANNOTATION
from chalicelib.domain.parsing.strict_json import query_parameters
from tests.support.builders import ended, exited, job, minutes_ago, pod, running, unscheduled, waiting
from tests.support.kubernetes_objects import objects

if TYPE_CHECKING:
    from collections.abc import Sequence

MAIN = Container(name="main")
LAMBDA_LIMIT = 6 * 2**20
INDEXED = JobSpec(completion_mode="Indexed", completions=3)


def of(name: str, phase: str = "Running", status: PodStatus | None = None, age: float = 0, **identity: Any) -> Pod:  # noqa: ANN401 - whatever a field holds
    """The pod *name* with a container `main`, made *age* minutes ago."""
    identity = {"name": name, "creation_timestamp": minutes_ago(age), **identity}
    return pod(phase, status=status or running(), containers=[MAIN], **identity)


def read(pods: Sequence[Pod], found: Job | None = None, **query: Any) -> ContainerRun:  # noqa: ANN401 - whatever a parameter holds
    """The attempt that *query* means."""
    return select_attempt(found or job(), pods, LogQuery(**query))


class TestLogQuery:
    """Which log, as the query says it."""

    def test_nothing_asked(self) -> None:
        """The end of it: a thousand lines, a quarter of a MiB."""
        assert query_parameters({}, LogQuery) == LogQuery(tail=1000, limit_bytes=262_144)

    @pytest.mark.parametrize(
        ("name", "taken", "refused"),
        [
            ("tail", ["1", "100000"], ["0", "100001", "all"]),
            ("sinceSeconds", ["1"], ["0"]),
            ("limitBytes", ["1", "1000000"], ["0", "1000001"]),
            ("index", ["0"], ["-1", "2147483648"]),
            ("container", ["main"], ["", "Main", "a/b", "a" * 64]),
        ],
    )
    def test_limits(self, name: str, taken: list[str], refused: list[str]) -> None:
        """Both ends of every limit are inside; nothing is rounded."""
        for text in taken:
            assert str(msgspec.to_builtins(query_parameters({name: [text]}, LogQuery))[name]) == text
        for text in refused:
            with pytest.raises(MalformedRequest):
                query_parameters({name: [text]}, LogQuery)


class TestChosen:
    """The pod and the container."""

    def test_one_that_runs_before_a_newer_one_that_ended(self) -> None:
        """What goes on now is what people ask for."""
        pods = [of("old", age=9), of("failed", "Failed", exited(1)), of("waits", "Pending", waiting("ErrImagePull"))]

        assert read(pods) == ContainerRun("old", "main")

    @pytest.mark.parametrize(
        ("phase", "status"), [("Running", running()), ("Succeeded", exited(0)), ("Failed", exited(0))]
    )
    def test_newest_of_several(self, phase: str, status: PodStatus) -> None:
        """Of those that run, one is as good as another; how one ended stands at the end of the log."""
        pods = [of("a", phase, status, age=2), of("b", phase, status, age=1), of("c", phase, status, age=3)]

        assert read(pods) == ContainerRun("b", "main")

    def test_pod_without_container_statuses(self) -> None:
        """A pod that says that it ran has a log, even where it says no more."""
        assert read([of("odd", "Failed", PodStatus())]) == ContainerRun("odd", "main")

    def test_container_by_name(self) -> None:
        """Any of the pod's, also one that ran before the others."""
        found = of("a")
        found.spec.containers.append(Container(name="sidecar"))
        found.spec.init_containers.append(Container(name="fetch"))
        done = ContainerState(terminated=Terminated(exit_code=0))
        found.status.init_container_statuses.append(ContainerStatus(name="fetch", state=done))
        found.status.container_statuses += running(name="sidecar").container_statuses

        names = ["main", "sidecar", "fetch"]
        assert [read([found], container=name).container for name in names] == names

    def test_unknown_container(self) -> None:
        """The refusal names those there are."""
        with pytest.raises(MalformedRequest) as refusal:
            read([of("a")], container="other")

        assert [(one.pointer, one.message) for one in refusal.value.errors] == [("/container", "must be one of main")]

    def test_container_that_has_not_started_beside_one_that_has(self) -> None:
        """Each has its own log."""
        found = of("a")
        found.spec.containers.append(Container(name="sidecar"))
        found.status.container_statuses.append(ContainerStatus(name="sidecar"))

        with pytest.raises(JobNotStarted):
            read([found], container="sidecar")


class TestIndex:
    """The pods of an Indexed Job."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [("0", 0), ("12", 12), ("", None), ("x", None), ("-1", None), ("٣", None), ("9" * 11, None)],
    )
    def test_is_the_annotation(self, text: str, expected: int | None) -> None:
        """What is no number is no index."""
        assert index_of(pod(annotations={COMPLETION_INDEX_ANNOTATION: text})) == expected

    def test_chooses_among_the_pods_of_that_index(self) -> None:
        """The others do not count, however new."""
        pods = [
            of("a", age=1, annotations={COMPLETION_INDEX_ANNOTATION: "1"}),
            of("b", annotations={COMPLETION_INDEX_ANNOTATION: "2"}),
            of("c"),
        ]

        assert read(pods, job(spec=INDEXED), index=1) == ContainerRun("a", "main")

    @pytest.mark.parametrize(
        ("spec", "message"),
        [
            pytest.param(JobSpec(), "is only valid for Indexed Jobs, and this Job is not Indexed", id="not indexed"),
            pytest.param(INDEXED, "must be between 0 and 2", id="too high"),
        ],
    )
    def test_that_there_is_not(self, spec: JobSpec, message: str) -> None:
        """The refusal says what there is."""
        with pytest.raises(MalformedRequest) as refusal:
            read([of("a")], job(spec=spec), index=3)

        assert [(one.pointer, one.message) for one in refusal.value.errors] == [("/index", message)]

    def test_whose_turn_has_not_come(self) -> None:
        """It has not started, though others run."""
        with pytest.raises(JobNotStarted):
            read([of("a", annotations={COMPLETION_INDEX_ANNOTATION: "0"})], job(spec=INDEXED), index=2)


class TestPrevious:
    """The attempt before."""

    def test_before_the_restart(self) -> None:
        """Of the same pod."""
        pods = [of("a", status=running(restarts=1)), of("b", "Failed", exited(1), age=5)]

        assert read(pods, previous=True) == ContainerRun("a", "main", restarted=True)

    def test_the_last_pod_that_failed(self) -> None:
        """Where pods are not restarted but replaced; one that works beside is no attempt before."""
        pods = [of("a"), of("b", age=1), of("c", "Failed", exited(1), age=3), of("d", "Failed", exited(1), age=2)]

        assert read(pods, previous=True) == ContainerRun("d", "main")

    def test_there_was_none(self) -> None:
        """410, and what to do."""
        with pytest.raises(LogGone, match="Send the request without previous"):
            read([of("a")], previous=True)

    def test_container_that_is_started_again(self) -> None:
        """While it waits, its last log is the one there is."""
        status = running(restarts=1)
        status.container_statuses[0].state = waiting("CrashLoopBackOff").container_statuses[0].state

        assert read([of("a", status=status)]) == ContainerRun("a", "main")


class TestNothing:
    """There is no log."""

    @pytest.mark.parametrize(
        ("found", "pods", "why"),
        [
            pytest.param(job(), [], "Its pod is starting.", id="just made"),
            pytest.param(job(), [of("a", "Pending", unscheduled())], "Unschedulable: 0/3 nodes: no GPU.", id="node"),
            pytest.param(
                job(spec=JobSpec(suspend=True)), [], "Suspended: It waits until it is resumed.", id="suspended"
            ),
            pytest.param(
                job(status=JobStatus(start_time=minutes_ago(1))), [], "PodsNotCreated: The cluster", id="no pods"
            ),
        ],
    )
    def test_yet(self, found: Job, pods: list[Pod], why: str) -> None:
        """409, with the reason."""
        with pytest.raises(JobNotStarted) as refusal:
            read(pods, found)

        assert why in refusal.value.detail

    @pytest.mark.parametrize("kind", ["Complete", "Failed"])
    def test_any_more(self, kind: str) -> None:
        """410, and where else to look."""
        with pytest.raises(LogGone, match="Get the Job to see how it ended"):
            read([], job(status=ended(kind)))

    @given(objects(Job), st.lists(objects(Pod), max_size=3), st.booleans())
    def test_any_job_has_a_log_or_a_refusal(self, found: Job, pods: list[Pod], previous: bool) -> None:
        """Whatever stands in its fields, or does not."""
        with suppress(JobNotStarted, LogGone):
            assert read(pods, found, previous=previous).pod in {one.metadata.name for one in pods}


class TestLastBytes:
    """The end of a log, as text."""

    @pytest.mark.parametrize(
        ("log", "limit", "expected"),
        [
            (b"", 9, ""),
            (b"one\ntwo\n", 8, "one\ntwo\n"),
            (b"one\ntwo\n", 7, "two\n"),
            (b"one\ntwo\n", 3, "wo\n"),
            (b"one\ntwo", 5, "two"),
            (b"endless", 3, "ess"),
            (b"\xff\xc3\xa4\n", 9, "\ufffdä\n"),
            (b"\x00\x1b[31m\n", 9, "\x00\x1b[31m\n"),
        ],
    )
    def test_begins_with_a_line_where_it_can(self, log: bytes, limit: int, expected: str) -> None:
        """Bytes that are no UTF-8 are replaced, control characters stay."""
        assert tail_bytes(log, limit) == expected

    @pytest.mark.parametrize("byte", [b"\x00", b"\xff", b"a"])
    def test_fits_into_a_lambdas_answer(self, byte: bytes) -> None:
        """However it is written as JSON."""
        text = tail_bytes(byte * (MAX_BYTES + 1), MAX_BYTES)

        assert len(json.dumps({"body": text})) + 4096 < LAMBDA_LIMIT
