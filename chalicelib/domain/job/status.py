"""The status of a Job, and the reason for it: from the Job and its pods, without events.

The first of these that applies decides: deletion, the end of the Job, an end that is decided while the last pods
terminate, its suspension, the state of its active pods, and last the reason why it has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from chalicelib.domain.job.containers import is_running, remaining_container
from chalicelib.domain.job.status_reason import (
    StatusReason,
    disruption,
    failed_container,
    failure_reason,
    pod_failure,
    reason,
    waiting_reason,
)
from chalicelib.domain.kubernetes.jobs import INDEXED, QUEUE_LABEL
from chalicelib.domain.manifest.multi_node import is_incomplete

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.kubernetes.pods import Pod

JOB_CONTROLLER = "kubernetes.io/job-controller"
Status = Literal[
    "Pending",
    "Queued",
    "ContainerCreating",
    "Running",
    "Suspended",
    "Terminating",
    "Succeeded",
    "Failed",
    "Unknown",
]
"""The status of a Job. The list is closed; `reason` has the details."""


OWN_REASONS = {
    "Evicted": "the node or an administrator evicts the pod",
    "Incomplete": "the creation of a multi-node Job was interrupted",
    "NodeLost": "the pod's node does not respond or is gone",
    "ParallelismZero": "the Job's `parallelism` is 0, so that it has no pods",
    "PodsNotCreated": "the cluster has not created the pods, often because of a quota",
    "PodsTerminating": "the previous pods are still terminating; new ones are created when they have ended",
    "Preempted": "a pod with a higher priority takes the place of the pod",
    "Retrying": "the last pod failed; the next one starts after a delay",
    "SidecarRunning": "the program has succeeded, but another container keeps the pod",
}
"""The reasons that are not those of the cluster, with their meanings for the reference documentation."""


class Assessment(NamedTuple):
    """The status of a Job, the reason for it, and the pod that shows the reason."""

    status: Status
    reason: StatusReason | None = None
    pod: Pod | None = None


def assess(job: Job, pods: Sequence[Pod]) -> Assessment:
    """Return the status of *job* and the reason for it; *pods* are those that the Job owns."""
    if end := job.finished:
        status: Status = "Terminating" if job.metadata.deletion_timestamp else job.outcome or "Failed"
        return Assessment(status, None if end.type == "Complete" else failure_reason(job, end, pods))
    if job.metadata.deletion_timestamp:
        return Assessment("Terminating")
    if decision := job.ending:
        succeeds = decision.type == "SuccessCriteriaMet"
        return Assessment("Terminating", None if succeeds else failure_reason(job, decision, pods))
    if job.spec.suspend:
        status = "Queued" if QUEUE_LABEL in job.metadata.labels else "Suspended"
        return Assessment(status, _suspended_reason(job, pods))
    active = [pod for pod in pods if pod.is_active]
    if active or job.status.ready:
        return _with_active_pods(job, active, pods)
    return _without_active_pods(job, pods)


def is_gang(job: Job) -> bool:
    """Return whether *job* works only while all of its pods run, as a multi-node Job does."""
    spec = job.spec
    return (
        bool(spec.template.spec.subdomain) and spec.completion_mode == INDEXED and spec.parallelism == spec.completions
    )


def missing_pods(job: Job) -> int:
    """Return how many pods the Job controller has yet to create."""
    wanted = 1 if job.spec.parallelism is None else job.spec.parallelism
    if job.spec.completions is not None:
        wanted = min(wanted, job.spec.completions - (job.status.succeeded or 0))
    return max(0, wanted - (job.status.active or 0) - (job.status.terminating or 0))


def trouble(job: Job, pod: Pod) -> StatusReason | None:
    """Return why *pod*, which is active, does not run as it should; None if it is running or starting normally."""
    if pod.status.phase == "Unknown":
        return reason("NodeLost", "The node of the pod does not respond.", "status.phase", pod.status.start_time)
    if name := remaining_container(job, pod):
        message = f"The program has succeeded, but the container {name} keeps the pod running."
        return reason("SidecarRunning", message, f"status.containerStatuses[{name}].state")
    exited = None if is_running(job, pod) else failed_container(job, pod)
    return disruption(pod) or waiting_reason(job, pod) or exited


def _suspended_reason(job: Job, pods: Sequence[Pod]) -> StatusReason | None:
    if is_incomplete(job):
        return StatusReason("Incomplete", "Its creation was interrupted. Repeat the same request, or delete the Job.")
    if job.status.terminating or any(pod.is_ending for pod in pods):
        return _pods_terminating()
    return None


def _ending_pod(pods: Sequence[Pod]) -> tuple[Pod | None, StatusReason]:
    """Return the ending pod that shows why, or None, and the reason."""
    ending = [pod for pod in pods if pod.is_ending]
    return next(((pod, why) for pod in ending if (why := disruption(pod))), (None, _pods_terminating()))


def _with_active_pods(job: Job, pods: Sequence[Pod], all_pods: Sequence[Pod]) -> Assessment:
    running = [pod for pod in pods if is_running(job, pod)]
    pod, why = _worst(job, pods)
    count = max(len(running), job.status.ready or 0)
    needed = (job.spec.completions or 1) - (job.status.succeeded or 0) if is_gang(job) else 1
    if count >= max(1, needed):
        return Assessment("Running", why, pod)
    if not why and any(each.is_ending for each in all_pods) and is_gang(job):
        pod, why = _ending_pod(all_pods)
        return Assessment("Pending", why, pod)
    if pods and all(each.status.phase == "Unknown" for each in pods):
        return Assessment("Unknown", why, pod)
    starting = any(each.spec.node_name and not trouble(job, each) for each in pods if each not in running)
    return Assessment("ContainerCreating" if starting and not why else "Pending", why, pod)


def _worst(job: Job, pods: Sequence[Pod]) -> tuple[Pod | None, StatusReason | None]:
    """Return the pod whose trouble is hardest to resolve by waiting, and the reason: of equal ones the first."""
    found = [(pod, why) for pod in pods if (why := trouble(job, pod))]
    order = {"Unschedulable": 1, "SchedulingGated": 2}
    return min(found, key=lambda each: order.get(each[1].reason, 0), default=(None, None))


def _without_active_pods(job: Job, pods: Sequence[Pod]) -> Assessment:
    if job.spec.parallelism == 0:
        return Assessment("Suspended", reason("ParallelismZero", "Its parallelism is 0.", "spec.parallelism"))
    if job.status.terminating or any(pod.is_ending for pod in pods):
        pod, why = _ending_pod(pods)
        return Assessment("Pending", why, pod)
    if job.status.active or job.status.start_time is None:
        return Assessment("Pending")
    if job.status.failed:
        retrying = StatusReason("Retrying", "The last pod failed; the next one starts after a delay.")
        return Assessment("Pending", pod_failure(job, pods) or retrying)
    if job.status.succeeded:
        return Assessment("Pending")
    message = "The cluster has not created the Job's pods; the diagnosis says why."
    if job.spec.managed_by not in (None, JOB_CONTROLLER):
        message = f"The controller {job.spec.managed_by} manages the Job's pods, possibly in another cluster."
    return Assessment("Pending", reason("PodsNotCreated", message, "status.active", job.status.start_time))


def _pods_terminating() -> StatusReason:
    message = "The previous pods are still terminating; new ones are created when they have ended."
    return StatusReason("PodsTerminating", message, "status.terminating")
