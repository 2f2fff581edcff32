"""Tests of the selection and the size of logs."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import JobNotStarted, LogGone, MalformedRequest
from chalicelib.domain.job.log_query import MAX_BYTES, LogQuery
from chalicelib.domain.job.logs import ContainerRun, select_attempt, tail_bytes
from chalicelib.domain.kubernetes.completion_indexes import index_of
from chalicelib.domain.kubernetes.jobs import Container, Job, JobSpec, JobStatus
from chalicelib.domain.kubernetes.pods import ContainerState, ContainerStatus, Pod, PodStatus, Terminated, Waiting
from chalicelib.domain.labels import COMPLETION_INDEX_ANNOTATION
from chalicelib.domain.parsing.strict_json import query_parameters
from tests.support.builders import ended, exited, job, minutes_ago, pod, running, unscheduled, waiting
from tests.support.kubernetes_objects import objects

if TYPE_CHECKING:
    from collections.abc import Sequence

MAIN = Container(name="main")
LAMBDA_LIMIT = 6 * 2**20
INDEXED = JobSpec(completion_mode="Indexed", completions=3)


def log_pod(name: str, phase: str = "Running", status: PodStatus | None = None, age: float = 0, **identity: Any) -> Pod:  # noqa: ANN401 - any field
    """Return the pod *name* with a container `main`, created *age* minutes ago."""
    identity = {"name": name, "creation_timestamp": minutes_ago(age), **identity}
    return pod(phase, status=status or running(), containers=[MAIN], **identity)


def select(pods: Sequence[Pod], subject: Job | None = None, **query: Any) -> ContainerRun:  # noqa: ANN401 - any value
    """Return the attempt that *query* selects."""
    return select_attempt(subject or job(), pods, LogQuery(**query))


class TestLogQuery:
    """Tests of the query parameters."""

    def test_defaults(self) -> None:
        """The default is the last 1,000 lines, and at most 256 KiB."""
        assert query_parameters({}, LogQuery) == LogQuery(tail=1000, limit_bytes=262_144)

    @pytest.mark.parametrize(
        ("name", "valid", "invalid"),
        [
            ("tail", ["1", "100000"], ["0", "100001", "all"]),
            ("sinceSeconds", ["1"], ["0"]),
            ("limitBytes", ["1", "1000000"], ["0", "1000001"]),
            ("index", ["0"], ["-1", "2147483648"]),
            ("container", ["main"], ["", "Main", "a/b", "a" * 64]),
        ],
    )
    def test_limits(self, name: str, valid: list[str], invalid: list[str]) -> None:
        """Limits are inclusive; values outside raise MalformedRequest."""
        for text in valid:
            assert str(msgspec.to_builtins(query_parameters({name: [text]}, LogQuery))[name]) == text
        for text in invalid:
            with pytest.raises(MalformedRequest):
                query_parameters({name: [text]}, LogQuery)


class TestSelectAttempt:
    """Tests of the selection of pod and container."""

    def test_running_pod_takes_precedence(self) -> None:
        """A running pod is selected, even if a newer one has failed."""
        pods = [
            log_pod("old", age=9),
            log_pod("failed", "Failed", exited(1)),
            log_pod("pending", "Pending", waiting("ErrImagePull")),
        ]

        assert select(pods) == ContainerRun("old", "main")

    @pytest.mark.parametrize(
        ("phase", "status"), [("Running", running()), ("Succeeded", exited(0)), ("Failed", exited(0))]
    )
    def test_newest_pod(self, phase: str, status: PodStatus) -> None:
        """The newest of several pods in the same phase is selected."""
        pods = [
            log_pod("a", phase, status, age=2),
            log_pod("b", phase, status, age=1),
            log_pod("c", phase, status, age=3),
        ]

        assert select(pods) == ContainerRun("b", "main")

    def test_pod_without_container_statuses(self) -> None:
        """A pod in a phase after its start has a log, even without container statuses."""
        assert select([log_pod("odd", "Failed", PodStatus())]) == ContainerRun("odd", "main")

    def test_container_by_name(self) -> None:
        """Any container of the pod can be selected, including init containers."""
        subject = log_pod("a")
        subject.spec.containers.append(Container(name="sidecar"))
        subject.spec.init_containers.append(Container(name="fetch"))
        completed = ContainerState(terminated=Terminated(exit_code=0))
        subject.status.init_container_statuses.append(ContainerStatus(name="fetch", state=completed))
        subject.status.container_statuses += running(name="sidecar").container_statuses

        names = ["main", "sidecar", "fetch"]
        assert [select([subject], container=name).container for name in names] == names

    def test_unknown_container(self) -> None:
        """The error lists the containers of the pod."""
        with pytest.raises(MalformedRequest) as error:
            select([log_pod("a")], container="other")

        assert [(each.pointer, each.message) for each in error.value.errors] == [("/container", "must be one of main")]

    def test_container_that_has_not_started(self) -> None:
        """A container has no log before it starts, even if another container of the pod is running."""
        subject = log_pod("a")
        subject.spec.containers.append(Container(name="sidecar"))
        subject.status.container_statuses.append(ContainerStatus(name="sidecar"))

        with pytest.raises(JobNotStarted):
            select([subject], container="sidecar")


class TestDefaultContainer:
    """Tests of the container whose log is returned by default."""

    @pytest.mark.parametrize(
        ("main", "fetch", "expected"),
        [
            ("PodInitializing", ContainerState(terminated=Terminated(exit_code=1)), "fetch"),
            ("PodInitializing", ContainerState(waiting=Waiting(reason="CrashLoopBackOff")), "fetch"),
            ("CrashLoopBackOff", ContainerState(terminated=Terminated(exit_code=0)), "main"),
        ],
    )
    def test_init_container_that_failed(self, main: str, fetch: ContainerState, expected: str) -> None:
        """If the program has never started, the log is that of the init container which prevents its start."""
        subject = log_pod("a", "Pending", waiting(main))
        subject.spec.init_containers.append(Container(name="fetch"))
        last = ContainerState(terminated=Terminated(exit_code=1))
        subject.status.init_container_statuses = [
            ContainerStatus(name="fetch", state=fetch, last_state=last if fetch.waiting else ContainerState())
        ]
        if expected == "main":
            subject.status.container_statuses[0].last_state = last

        assert select([subject]) == ContainerRun("a", expected)

    def test_injected_container_is_not_the_default(self) -> None:
        """A proxy in front of the program does not take its place."""
        subject = log_pod("a")
        subject.spec.containers.insert(0, Container(name="istio-proxy"))

        assert select([subject]).container == "main"


class TestIndex:
    """Tests of the pods of an Indexed Job."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [("0", 0), ("12", 12), ("", None), ("x", None), ("-1", None), ("٣", None), ("9" * 11, None)],
    )
    def test_index_from_the_annotation(self, text: str, expected: int | None) -> None:
        """An annotation that is not a valid number is ignored."""
        assert index_of(pod(annotations={COMPLETION_INDEX_ANNOTATION: text})) == expected

    def test_only_pods_of_the_index(self) -> None:
        """Only pods with the index are selected, even if others are newer."""
        pods = [
            log_pod("a", age=1, annotations={COMPLETION_INDEX_ANNOTATION: "1"}),
            log_pod("b", annotations={COMPLETION_INDEX_ANNOTATION: "2"}),
            log_pod("c"),
        ]

        assert select(pods, job(spec=INDEXED), index=1) == ContainerRun("a", "main")

    @pytest.mark.parametrize(
        ("spec", "message"),
        [
            pytest.param(JobSpec(), "is only valid for Indexed Jobs, and this Job is not Indexed", id="not indexed"),
            pytest.param(INDEXED, "must be between 0 and 2", id="too high"),
        ],
    )
    def test_invalid_index(self, spec: JobSpec, message: str) -> None:
        """The error contains the valid range."""
        with pytest.raises(MalformedRequest) as error:
            select([log_pod("a")], job(spec=spec), index=3)

        assert [(each.pointer, each.message) for each in error.value.errors] == [("/index", message)]

    def test_index_that_has_not_started(self) -> None:
        """An index without a pod has no log, even if other indexes are running."""
        with pytest.raises(JobNotStarted):
            select([log_pod("a", annotations={COMPLETION_INDEX_ANNOTATION: "0"})], job(spec=INDEXED), index=2)


class TestPrevious:
    """Tests of the previous attempt."""

    def test_run_before_the_restart(self) -> None:
        """The previous run of a restarted container is selected."""
        pods = [log_pod("a", status=running(restarts=1)), log_pod("b", "Failed", exited(1), age=5)]

        assert select(pods, previous=True) == ContainerRun("a", "main", restarted=True)

    def test_previous_pod(self) -> None:
        """If pods are replaced, the last failed pod is the previous attempt; parallel pods do not count."""
        pods = [
            log_pod("a"),
            log_pod("b", age=1),
            log_pod("c", "Failed", exited(1), age=3),
            log_pod("d", "Failed", exited(1), age=2),
        ]

        assert select(pods, previous=True) == ContainerRun("d", "main")

    def test_no_previous_attempt(self) -> None:
        """The error explains what to do."""
        with pytest.raises(LogGone, match="Send the request without previous"):
            select([log_pod("a")], previous=True)

    def test_container_in_back_off(self) -> None:
        """The log of a container that waits for its restart is that of its last run."""
        status = running(restarts=1)
        status.container_statuses[0].state = waiting("CrashLoopBackOff").container_statuses[0].state

        assert select([log_pod("a", status=status)]) == ContainerRun("a", "main")


class TestNoLog:
    """Tests of Jobs without a log."""

    @pytest.mark.parametrize(
        ("subject", "pods", "reason"),
        [
            pytest.param(job(), [], "Its pod is starting.", id="created"),
            pytest.param(
                job(), [log_pod("a", "Pending", unscheduled())], "Unschedulable: 0/3 nodes: no GPU.", id="node"
            ),
            pytest.param(
                job(spec=JobSpec(suspend=True)), [], "Suspended: It waits until it is resumed.", id="suspended"
            ),
            pytest.param(
                job(status=JobStatus(start_time=minutes_ago(1))), [], "PodsNotCreated: The cluster", id="no pods"
            ),
        ],
    )
    def test_not_started(self, subject: Job, pods: list[Pod], reason: str) -> None:
        """JobNotStarted contains the reason."""
        with pytest.raises(JobNotStarted) as error:
            select(pods, subject)

        assert reason in error.value.detail

    @pytest.mark.parametrize("kind", ["Complete", "Failed"])
    def test_pods_deleted(self, kind: str) -> None:
        """LogGone explains where to look instead."""
        with pytest.raises(LogGone, match="Get the Job to see how it ended"):
            select([], job(status=ended(kind)))

    @given(objects(Job), st.lists(objects(Pod), max_size=3), st.booleans())
    def test_any_job_has_a_log_or_an_error(self, subject: Job, pods: list[Pod], previous: bool) -> None:
        """Any field can be missing or contain any value."""
        with suppress(JobNotStarted, LogGone):
            assert select(pods, subject, previous=previous).pod in {each.metadata.name for each in pods}


class TestTailBytes:
    """Tests of tail_bytes."""

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
    def test_begins_with_a_whole_line(self, log: bytes, limit: int, expected: str) -> None:
        """The tail begins with a whole line if possible; invalid UTF-8 is replaced, control characters are kept."""
        assert tail_bytes(log, limit).decode(errors="replace") == expected

    @pytest.mark.parametrize("byte", [b"\x00", b"\xff", b"a"])
    def test_fits_into_a_response_of_lambda(self, byte: bytes) -> None:
        """The largest tail fits into a response, even if every byte is escaped."""
        text = tail_bytes(byte * (MAX_BYTES + 1), MAX_BYTES).decode(errors="replace")

        assert len(json.dumps({"body": text})) + 4096 < LAMBDA_LIMIT
