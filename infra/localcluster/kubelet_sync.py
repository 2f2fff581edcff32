"""What a kubelet does next with a simulated pod: report a status, wait, or remove the pod. Pure: values in, values out.

1. A new pod starts, unless the node rejects it, or cannot set up its network or volumes.
2. Init containers run one after the other, then the others run together; each ends by its outcome.
3. A deleted pod gets SIGTERM. A container that ignores it is killed at the end of the grace period.
4. When all containers of a deleted pod have ended, the kubelet removes the pod.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.localcluster import container_status as container
from infra.localcluster import lost_node
from infra.localcluster.container_status import GONE, IGNORE_SIGTERM, KILLED, TERMINATED, End
from infra.localcluster.kubelet_report import Event, Sync
from infra.localcluster.lost_node import NOT_READY
from infra.localcluster.pod_status import (
    ENDED,
    Statuses,
    build_status,
    containers,
    disruption,
    init_containers,
    is_initialized,
    statuses_of,
)
from infra.localcluster.simulation import container_outcome, pod_outcome

if TYPE_CHECKING:
    from datetime import datetime, timedelta

Document = dict[str, Any]

_OUT_OF_DISK = "The node was low on resource: ephemeral-storage."
_DEVICE_ERROR = (
    "Pod was rejected: Allocate failed due to no healthy devices present; cannot allocate unhealthy devices "
    "nvidia.com/gpu, which is unexpected"
)
_POD_EVENTS = {
    "starting": Event("Normal", "Pulling", "Pulling the image"),
    "mount-failed": Event(
        "Warning",
        "FailedMount",
        'MountVolume.SetUp failed for volume "data" : rpc error: code = Internal desc = Could not mount '
        '"fs-0123456789abcdef0:/": mount failed: exit status 32',
    ),
    "no-ip-address": Event(
        "Warning",
        "FailedCreatePodSandBox",
        "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox: plugin "
        'type="aws-cni" name="aws-cni" failed (add): add cmd: failed to assign an IP address to container',
    ),
}
"""The event of each outcome for which no container starts."""


def sync(pod: Document, now: datetime, run_time: timedelta) -> Sync:
    """Return what to do with *pod*, which is on the node; each container runs for *run_time*."""
    status, deleted = pod["status"], "deletionTimestamp" in pod["metadata"]
    if status.get("phase") in ENDED:
        return Sync(remove=deleted)
    if pod_outcome(pod) == "node-unreachable" and "containerStatuses" in status:
        return lost_node.sync(pod, now, run_time)
    if deleted:
        return _terminate(pod, now)
    return _advance(pod, now, run_time) if "containerStatuses" in status else _admit(pod, now, run_time)


def _admit(pod: Document, now: datetime, run_time: timedelta) -> Sync:
    """Return the first status of *pod* on the node."""
    outcome = pod_outcome(pod)
    if outcome == "device-error":
        why = {"reason": "UnexpectedAdmissionError", "message": _DEVICE_ERROR}
        return Sync({"phase": "Failed", **why}, [Event("Warning", "UnexpectedAdmissionError", _DEVICE_ERROR)])
    reason = "PodInitializing" if init_containers(pod) else "ContainerCreating"
    blank = {spec["name"]: container.waiting(spec, reason) for spec in _all(pod)}
    if outcome in _POD_EVENTS:
        return Sync(build_status(pod, blank, now), [_POD_EVENTS[outcome]])
    started, events = _progress(pod, blank, now, run_time)
    if outcome == "node-lost":
        return Sync(build_status(pod, started, now, phase="Unknown"), [NOT_READY])
    return Sync(build_status(pod, started, now), [NOT_READY] if outcome == "node-not-ready" else events)


def _advance(pod: Document, now: datetime, run_time: timedelta) -> Sync:
    """Return the next status of *pod* once a container has ended."""
    if pod["status"]["phase"] == "Unknown" or pod_outcome(pod) in _POD_EVENTS:
        return Sync()
    old = statuses_of(pod)
    new, events = _progress(pod, old, now, run_time)
    if new == old:
        return Sync(due=_next_end(pod, old, run_time))
    status = build_status(pod, new, now)
    if status["phase"] in ENDED and pod_outcome(pod) == "Evicted":
        conditions = [*status["conditions"], disruption("TerminationByKubelet", _OUT_OF_DISK, now)]
        status |= {"reason": "Evicted", "message": _OUT_OF_DISK, "conditions": conditions}
        events = [*events, Event("Warning", "Evicted", _OUT_OF_DISK)]
    return Sync(status, events)


def _progress(pod: Document, old: Statuses, now: datetime, run_time: timedelta) -> tuple[Statuses, list[Event]]:
    """Return the statuses after every container that can start has started, and every one that is due has ended."""
    statuses, events = dict(old), []
    for spec in init_containers(pod):
        events += _step(pod, spec, statuses, now, run_time)
        if not container.is_sidecar(spec) and container.exit_code(statuses[spec["name"]]) != 0:
            break
        if container.is_sidecar(spec) and not container.is_running(statuses[spec["name"]]):
            break
    if is_initialized(pod, statuses):
        for spec in containers(pod):
            events += _step(pod, spec, statuses, now, run_time)
    if all(container.exit_code(statuses[spec["name"]]) is not None for spec in containers(pod)):
        _stop_sidecars(pod, statuses, now)
    return statuses, events


def _step(pod: Document, spec: Document, statuses: Statuses, now: datetime, run_time: timedelta) -> list[Event]:
    """Start or end the container *spec* in *statuses* if it is due; return the events."""
    name, status = spec["name"], statuses[spec["name"]]
    if (status["state"].get("waiting") or {}).get("reason") in ("ContainerCreating", "PodInitializing"):
        statuses[name], events = container.start(pod, spec, now)
        return events
    end = container.end_time(pod, spec, status, run_time)
    if end and now >= end:
        statuses[name] = container.finish(pod, spec, status, now)
    return []


def _stop_sidecars(pod: Document, statuses: Statuses, now: datetime) -> None:
    for spec in init_containers(pod):
        if container.is_running(status := statuses[spec["name"]]):
            statuses[spec["name"]] = container.stop(spec, status, now, End(0))


def _terminate(pod: Document, now: datetime) -> Sync:
    """Return the status of a deleted pod: containers end on SIGTERM, or are killed after the grace period."""
    old = statuses_of(pod) or {spec["name"]: container.waiting(spec, "ContainerCreating") for spec in _all(pod)}
    deadline, statuses, events = lost_node.deadline(pod), dict(old), []
    for spec in _all(pod):
        ignores = container_outcome(pod, spec) == IGNORE_SIGTERM
        if container.is_running(old[spec["name"]]) and (not ignores or now >= deadline):
            end = End(KILLED if ignores else TERMINATED)
            statuses[spec["name"]] = container.stop(spec, old[spec["name"]], now, end)
            events.append(Event("Normal", "Killing", f"Stopping container {spec['name']}"))
    if any(map(container.is_running, statuses.values())):
        return Sync(build_status(pod, statuses, now) if events else None, events, due=deadline)
    for spec in _all(pod):
        if container.exit_code(statuses[spec["name"]]) is None:
            statuses[spec["name"]] = container.stop(spec, statuses[spec["name"]], now, GONE)
    return Sync(build_status(pod, statuses, now), events)


def _next_end(pod: Document, statuses: Statuses, run_time: timedelta) -> datetime | None:
    ends = (container.end_time(pod, spec, statuses[spec["name"]], run_time) for spec in _all(pod))
    return min((end for end in ends if end), default=None)


def _all(pod: Document) -> list[Document]:
    return [*init_containers(pod), *containers(pod)]
