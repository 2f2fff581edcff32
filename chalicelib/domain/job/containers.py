"""The containers of a pod: the one that runs the Job's program, init containers, and containers that others injected.

A service mesh or an agent may inject containers into the pods of a Job; the Job's template does not have them. An init
container with the restart policy `Always` is a native sidecar: it runs beside the program and does not delay it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.kubernetes.pods import ContainerStatus, Pod

MAIN_CONTAINER = "main"
DEFAULT_CONTAINER_ANNOTATION = "kubectl.kubernetes.io/default-container"


def main_container(job: Job, pod: Pod) -> str:
    """Return the name of the container in *pod* that runs the program of *job*; empty if the pod has no containers.

    That is the container `main`, else the one in kubectl's annotation, else the first one that was not injected.
    """
    names = [container.name for container in pod.spec.containers] or [
        each.name for each in pod.status.container_statuses
    ]
    annotated = pod.metadata.annotations.get(DEFAULT_CONTAINER_ANNOTATION, "")
    own = [container.name for container in job.spec.template.spec.containers]
    preferred = [MAIN_CONTAINER, annotated, *own, *names]
    return next((name for name in preferred if name in names), "")


def main_status(job: Job, pod: Pod) -> ContainerStatus | None:
    """Return the status of the main container, or None if the kubelet has not reported it."""
    name = main_container(job, pod)
    return next((status for status in pod.status.container_statuses if status.name == name), None)


def statuses_by_relevance(job: Job, pod: Pod) -> Iterator[tuple[str, ContainerStatus]]:
    """Yield each container status with its field path: the main container's first, the native sidecars' last.

    The others are in the order of their start.
    """
    name = main_container(job, pod)
    inits = [("status.initContainerStatuses", status) for status in pod.status.init_container_statuses]
    mains = [("status.containerStatuses", status) for status in pod.status.container_statuses]
    yield from (each for each in mains if each[1].name == name)
    yield from (each for each in inits if not is_sidecar(pod, each[1].name))
    yield from (each for each in mains if each[1].name != name)
    yield from (each for each in inits if is_sidecar(pod, each[1].name))


def is_sidecar(pod: Pod, name: str) -> bool:
    """Return whether the container *name* is a native sidecar, whose end does not decide about *pod*."""
    return any(each.name == name and each.restart_policy == "Always" for each in pod.spec.init_containers)


def blocking_statuses(job: Job, pod: Pod) -> Iterator[tuple[str, ContainerStatus]]:
    """Yield the container statuses that can delay the main container: its own, and those of earlier init containers."""
    main = main_status(job, pod)
    if main and (main.state.running or main.state.terminated):
        return
    for status in pod.status.init_container_statuses:
        if not _succeeded(status):
            yield "status.initContainerStatuses", status
    yield from (each for each in statuses_by_relevance(job, pod) if each[0] == "status.containerStatuses")


def is_running(job: Job, pod: Pod) -> bool:
    """Return whether the program of *pod* is running, or has succeeded while other containers keep the pod running."""
    if pod.status.phase != "Running" or pod.metadata.deletion_timestamp:
        return False
    main = main_status(job, pod)
    if main is None:
        return not pod.status.container_statuses and not pod.status.init_container_statuses
    return main.state.running is not None or _succeeded(main)


def remaining_container(job: Job, pod: Pod) -> str | None:
    """Return the container that keeps *pod* running although its program has succeeded; None if there is none.

    The kubelet terminates native sidecars when the other containers have ended, so these do not count.
    """
    main = main_status(job, pod)
    if pod.status.phase != "Running" or main is None or not _succeeded(main):
        return None
    others = (status for status in pod.status.container_statuses if status.name != main.name)
    return next((status.name for status in others if not status.state.terminated), None)


def _succeeded(status: ContainerStatus) -> bool:
    return status.state.terminated is not None and status.state.terminated.exit_code == 0
