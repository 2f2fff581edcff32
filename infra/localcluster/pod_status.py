"""The pod statuses that a kubelet reports, for each simulated outcome. Pure: values in, values out."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.domain.labels import COMPLETION_INDEX_ANNOTATION
from chalicelib.domain.submission.reserved_variables import INDEX_MAP

if TYPE_CHECKING:
    from datetime import datetime

Document = dict[str, Any]

SIMULATE = "researcher.dev/simulate"
"""The pod annotation that selects the outcome of the pod.

image-pull, image-unauthorized, image-unreachable, config-error, mount-failed, starting, waiting-REASON, node-lost,
node-not-ready, restarted, start-error, exit-N, OOMKilled, Evicted or run-forever; `exit-3@1,4` applies to the pods of
an Indexed Job with index 1 or 4, by RESEARCHER_INDEX_MAP if the Job is a retry.
"""
SIMULATE_VARIABLE = "SIMULATE"
"""The same as an environment variable, for clients that cannot set pod annotations."""
MISSING_IMAGE = "no-such-image"
"""An image with this text in its name cannot be pulled."""

_KILLED = 137
_NOT_STARTED = 128
_PULL_ERRORS = {
    "image-pull": "{image}: not found",
    "image-unauthorized": 'failed to pull and unpack image "{image}": failed to resolve reference "{image}": failed to '
    "authorize: failed to fetch oauth token: unexpected status: 401 Unauthorized",
    "image-unreachable": 'failed to pull and unpack image "{image}": failed to resolve reference "{image}": failed to '
    'do request: Head "https://registry.invalid/v2/": dial tcp 192.0.2.1:443: i/o timeout',
}
"""The messages of containerd when an image cannot be pulled."""


@dataclass(frozen=True)
class Event:
    """An event that a kubelet records with a status."""

    type: str
    reason: str
    message: str


def simulation(pod: Document) -> str:
    """Return the outcome that *pod* selects; empty if it selects none, and so succeeds."""
    outcome = pod["metadata"].get("annotations", {}).get(SIMULATE)
    containers = pod["spec"]["containers"]
    variables = [variable for container in containers for variable in container.get("env", [])]
    values = [str(each.get("value", "")) for each in variables if each["name"] == SIMULATE_VARIABLE]
    outcome, _, indexes = str(next(iter([*([outcome] if outcome else []), *values]), "")).partition("@")
    if outcome and indexes and _index(pod, variables) not in indexes.split(","):
        return ""
    return outcome or ("image-pull" if any(MISSING_IMAGE in container["image"] for container in containers) else "")


def _index(pod: Document, variables: list[Document]) -> str:
    """Return the index that *pod* works on, or an empty string."""
    own = str(pod["metadata"].get("annotations", {}).get(COMPLETION_INDEX_ANNOTATION, ""))
    maps = [str(each.get("value", "")) for each in variables if each["name"] == INDEX_MAP]
    return maps[0].split(",")[int(own)] if maps and own else own


def started_status(pod: Document, now: datetime) -> tuple[Document, Event]:
    """Return the status and the event of *pod* soon after it was assigned to the node."""
    outcome, image = simulation(pod), pod["spec"]["containers"][0]["image"]
    if waiting := _waiting_state(outcome, image):
        return _waiting(pod, now, *waiting[0]), waiting[1]
    started = Event("Normal", "Started", "Container started")
    match outcome:
        case "node-lost":
            running = {"state": {"running": {"startedAt": _time(now)}}, "ready": False, "started": True}
            return _status(pod, now, "Unknown", running), Event("Warning", "NodeNotReady", "Node is not ready")
        case "node-not-ready":
            return _running(pod, now, ready=False), Event("Warning", "NodeNotReady", "Node is not ready")
        case "restarted":
            return _running(pod, now, last_state=_terminated_state(pod, now, 1, "Error")), started
    return _running(pod, now), started


def _waiting_state(outcome: str, image: str) -> tuple[tuple[str, str], Event] | None:
    """Return reason and message of a waiting container, and its event; None if it does not wait."""
    if outcome in _PULL_ERRORS:
        message = f'Back-off pulling image "{image}": ErrImagePull: {_PULL_ERRORS[outcome].format(image=image)}'
        return ("ImagePullBackOff", message), Event("Warning", "Failed", message)
    if outcome == "starting":
        return ("ContainerCreating", ""), Event("Normal", "Pulling", f'Pulling image "{image}"')
    if outcome == "mount-failed":
        message = 'MountVolume.SetUp failed for volume "data" : configmap "no-such-map" not found'
        return ("ContainerCreating", ""), Event("Warning", "FailedMount", message)
    if outcome == "config-error":
        message = 'secret "no-such-secret" not found'
        return ("CreateContainerConfigError", message), Event("Warning", "Failed", message)
    if outcome.startswith("waiting-"):
        reason = outcome.removeprefix("waiting-")
        message = f"The container is waiting: {reason}"
        return (reason, message), Event("Warning", "Failed", message)
    return None


def ends_by_itself(pod: Document) -> bool:
    """Return whether *pod* terminates after it has started."""
    return simulation(pod) not in ("run-forever", "restarted", "node-not-ready")


def finished_status(pod: Document, now: datetime) -> tuple[Document, Event | None]:
    """Return the status and the event of *pod* at the end of its run time."""
    outcome = simulation(pod)
    if outcome == "OOMKilled":
        return _terminated(pod, now, _KILLED, "OOMKilled"), None
    if outcome == "Evicted":
        return _evicted(pod, now)
    if outcome == "start-error":
        message = 'failed to create containerd task: exec: "no-such-program": executable file not found in $PATH'
        return _terminated(pod, now, _NOT_STARTED, "StartError", message), None
    exit_code = int(match[1]) if (match := re.fullmatch(r"exit-(\d+)", outcome)) else 0
    return _terminated(pod, now, exit_code, "Error" if exit_code else "Completed"), None


def killed_status(pod: Document, now: datetime) -> Document:
    """Return the status of *pod* if it is deleted while it ready_status."""
    return _terminated(pod, now, _KILLED, "Error")


def _waiting(pod: Document, now: datetime, reason: str, message: str) -> Document:
    state = {"waiting": {"reason": reason, "message": message}}
    return _status(pod, now, "Pending", {"state": state, "ready": False, "started": False})


def _running(pod: Document, now: datetime, *, ready: bool = True, last_state: Document | None = None) -> Document:
    state = {"running": {"startedAt": _time(now)}}
    restarts = {"restartCount": 1, "lastState": {"terminated": last_state}} if last_state else {}
    return _status(pod, now, "Running", {"state": state, "ready": ready, "started": True, **restarts}, ready=ready)


def _terminated(pod: Document, now: datetime, exit_code: int, reason: str, message: str | None = None) -> Document:
    end = _terminated_state(pod, now, exit_code, reason) | ({"message": message} if message else {})
    phase = "Failed" if exit_code else "Succeeded"
    # null removes the previous state; a container may have only one.
    state = {"terminated": end, "running": None, "waiting": None}
    return _status(pod, now, phase, {"state": state, "ready": False, "started": False})


def _terminated_state(pod: Document, now: datetime, exit_code: int, reason: str) -> Document:
    start = pod.get("status", {}).get("startTime") or _time(now)
    return {"exitCode": exit_code, "reason": reason, "startedAt": start, "finishedAt": _time(now)}


def _evicted(pod: Document, now: datetime) -> tuple[Document, Event]:
    message = "The node was low on resource: ephemeral-storage."
    status = _terminated(pod, now, _KILLED, "Error")
    disrupted = _condition("DisruptionTarget", True, now) | {"reason": "TerminationByKubelet", "message": message}
    conditions = [*status["conditions"], disrupted]
    return status | {"reason": "Evicted", "message": message, "conditions": conditions}, Event(
        "Warning", "Evicted", message
    )


def _status(pod: Document, now: datetime, phase: str, container: Document, *, ready: bool = True) -> Document:
    ready_status = phase == "Running" and ready
    return {
        "phase": phase,
        "startTime": pod.get("status", {}).get("startTime") or _time(now),
        "hostIP": "127.0.0.1",
        "conditions": [
            _condition("Initialized", True, now),
            _condition("ContainersReady", ready_status, now),
            _condition("Ready", ready_status, now),
        ],
        "containerStatuses": [
            {
                "name": spec["name"],
                "image": spec["image"],
                "imageID": _digest(spec["image"]) if container["started"] or "terminated" in container["state"] else "",
                "restartCount": 0,
                **container,
            }
            for spec in pod["spec"]["containers"]
        ],
    }


def _digest(image: str) -> str:
    """Return the image ID that a kubelet reports after the pull."""
    repository = re.sub(r"(:[^/:@]*)?(@.*)?$", "", image)
    return f"{repository}@sha256:{hashlib.sha256(image.encode()).hexdigest()}"


def _condition(name: str, holds: bool, now: datetime) -> Document:
    return {"type": name, "status": str(holds), "lastTransitionTime": _time(now)}


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
