"""Tests of the containers of a pod."""

from __future__ import annotations

import pytest

from chalicelib.domain.job.containers import (
    DEFAULT_CONTAINER_ANNOTATION,
    blocking_statuses,
    is_running,
    main_container,
    main_status,
    remaining_container,
    statuses_by_relevance,
)
from chalicelib.domain.kubernetes.jobs import Container, JobSpec
from chalicelib.domain.kubernetes.pods import ContainerState, ContainerStatus, Pod, PodStatus, Terminated, Waiting
from tests.support.builders import NOW, exited, job, pod, running, template, waiting

OWN = job(spec=JobSpec(template=template(Container(name="train"))))


def with_containers(*names: str, default: str = "", status: PodStatus | None = None) -> Pod:
    """Return a running pod with the containers *names*, and kubectl's *default* one."""
    annotations = {DEFAULT_CONTAINER_ANNOTATION: default} if default else {}
    return pod(containers=[Container(name=name) for name in names], annotations=annotations, status=status)


def with_init(status: PodStatus, *init: ContainerStatus, phase: str = "Running") -> Pod:
    """Return a pod whose init containers have the statuses *init*."""
    subject = pod(phase, status=status)
    subject.status.init_container_statuses = list(init)
    return subject


def init(code: int | None) -> ContainerStatus:
    """Return the status of an init container that ended with *code*, or that waits."""
    end = None if code is None else Terminated(exit_code=code)
    return ContainerStatus(
        name=f"init-{code}",
        state=ContainerState(terminated=end, waiting=None if end else Waiting(reason="PodInitializing")),
    )


OTHER_PULLS = waiting("ImagePullBackOff")
OTHER_PULLS.container_statuses[0].name = "agent"
NATIVE = PodStatus(init_container_statuses=running(name="agent").container_statuses)


class TestMainContainer:
    """Tests of main_container and main_status."""

    @pytest.mark.parametrize(
        ("subject", "expected"),
        [
            (with_containers("istio-proxy", "train", "main", default="train"), "main"),
            (with_containers("istio-proxy", "train", "other", default="other"), "other"),
            (with_containers("istio-proxy", "train", default="gone"), "train"),
            (with_containers("istio-proxy", "agent"), "istio-proxy"),
            (pod(status=running(name="reported")), "reported"),
            (pod(), ""),
        ],
    )
    def test_name(self, subject: Pod, expected: str) -> None:
        """The container `main`, else the annotated one, else the first of the Job's template, else the first."""
        assert main_container(OWN, subject) == expected

    def test_status(self) -> None:
        """The status is that of the main container, or None if the kubelet has not reported it."""
        assert main_status(OWN, with_containers("train", "main", status=running(name="train"))) is None
        assert main_status(OWN, pod(status=running())) == running().container_statuses[0]


class TestOrder:
    """Tests of statuses_by_relevance and blocking_statuses."""

    def test_main_container_first(self) -> None:
        """Then init containers, then injected ones, whatever the order in which the kubelet lists them."""
        status = PodStatus(
            container_statuses=[*running(name="agent").container_statuses, *exited(1).container_statuses]
        )

        found = [(path, each.name) for path, each in statuses_by_relevance(job(), with_init(status, init(0)))]

        listed = "status.containerStatuses"
        assert found == [(listed, "main"), ("status.initContainerStatuses", "init-0"), (listed, "agent")]

    @pytest.mark.parametrize(
        ("status", "blocking"),
        [
            (waiting("PodInitializing"), ["init-None", "init-1", "main"]),
            (running(), []),
            (exited(1), []),
            (PodStatus(), ["init-None", "init-1"]),
        ],
    )
    def test_init_containers_block_a_start(self, status: PodStatus, blocking: list[str]) -> None:
        """An init container that has succeeded, or any after the start of the program, delays nothing."""
        subject = with_init(status, init(0), init(None), init(1))

        assert [each.name for _, each in blocking_statuses(job(), subject)] == blocking


class TestIsRunning:
    """Tests of is_running."""

    @pytest.mark.parametrize(
        ("subject", "expected"),
        [
            (pod(), True),
            (pod(status=running()), True),
            (pod(status=exited(0)), True),
            (pod(status=exited(1)), False),
            (pod(status=waiting("CrashLoopBackOff")), False),
            (pod("Pending", status=running()), False),
            (pod(deletion_timestamp=NOW), False),
        ],
    )
    def test_program(self, subject: Pod, expected: bool) -> None:
        """The program decides and not the phase alone: a pod in its back-off has the phase Running."""
        assert is_running(job(), subject) is expected


class TestRemainingContainer:
    """Tests of remaining_container."""

    @pytest.mark.parametrize(("code", "sidecar", "expected"), [
        (0, running(name="agent"), "agent"), (0, OTHER_PULLS, "agent"), (0, NATIVE, None), (0, exited(0), None),
        (1, running(name="agent"), None),
    ])  # fmt: skip
    def test_sidecar(self, code: int, sidecar: PodStatus, expected: str | None) -> None:
        """A container that runs or waits after the program has succeeded keeps the pod; a native one does not."""
        status = exited(code)
        status.container_statuses += sidecar.container_statuses
        status.init_container_statuses = sidecar.init_container_statuses

        assert remaining_container(job(), pod(status=status)) == expected
        assert remaining_container(job(), pod("Succeeded", status=status)) is None
