"""What a kubelet would report of a pod, for each way a pod can go. Pure: values in, values out."""

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
"""The pod annotation that says how the pod goes.

image-pull, image-unauthorized, image-unreachable, config-error, mount-failed, starting, waiting-REASON, node-lost,
node-not-ready, restarted, start-error, exit-N, OOMKilled, Evicted or run-forever; `exit-3@1,4`
is meant for the pods of an Indexed Job that work on index 1 or 4, by RESEARCHER_INDEX_MAP where the Job is a retry."""
SIMULATE_VARIABLE = "SIMULATE"
"""The same as an environment variable, for those who can set no pod annotation."""
MISSING_IMAGE = "no-such-image"
"""An image with this in its name cannot be pulled."""

_KILLED = 137
_NOT_STARTED = 128
_PULL_ERRORS = {
    "image-pull": "{image}: not found",
    "image-unauthorized": 'failed to pull and unpack image "{image}": failed to resolve reference "{image}": failed to '
    "authorize: failed to fetch oauth token: unexpected status: 401 Unauthorized",
    "image-unreachable": 'failed to pull and unpack image "{image}": failed to resolve reference "{image}": failed to '
    'do request: Head "https://registry.invalid/v2/": dial tcp 192.0.2.1:443: i/o timeout',
}
"""What containerd says when an image cannot be had."""


@dataclass(frozen=True)
class Event:
    """What a kubelet records beside a status."""

    type: str
    reason: str
    message: str


def simulation(pod: Document) -> str:
    """How *pod* asks to go; empty when it asks for nothing, and so ends well."""
    asked = pod["metadata"].get("annotations", {}).get(SIMULATE)
    containers = pod["spec"]["containers"]
    variables = [one for container in containers for one in container.get("env", [])]
    named = [str(one.get("value", "")) for one in variables if one["name"] == SIMULATE_VARIABLE]
    asked, _, indexes = str(next(iter([*([asked] if asked else []), *named]), "")).partition("@")
    if asked and indexes and _index(pod, variables) not in indexes.split(","):
        return ""
    unpullable = ["image-pull"] if any(MISSING_IMAGE in container["image"] for container in containers) else []
    return asked or next(iter(unpullable), "")


def _index(pod: Document, variables: list[Document]) -> str:
    """The index that *pod* works on; empty where it has none."""
    own = str(pod["metadata"].get("annotations", {}).get(COMPLETION_INDEX_ANNOTATION, ""))
    maps = [str(one.get("value", "")) for one in variables if one["name"] == INDEX_MAP]
    return maps[0].split(",")[int(own)] if maps and own else own


def started_status(pod: Document, now: datetime) -> tuple[Document, Event]:
    """The status of *pod* soon after it came to the node, and what is said about it."""
    asked, image = simulation(pod), pod["spec"]["containers"][0]["image"]
    if wait := _wait(asked, image):
        return _waiting(pod, now, *wait[0]), wait[1]
    started = Event("Normal", "Started", "Container started")
    match asked:
        case "node-lost":
            lost = {"state": {"running": {"startedAt": _time(now)}}, "ready": False, "started": True}
            return _status(pod, now, "Unknown", lost), Event("Warning", "NodeNotReady", "Node is not ready")
        case "node-not-ready":
            return _running(pod, now, ready=False), Event("Warning", "NodeNotReady", "Node is not ready")
        case "restarted":
            return _running(pod, now, before=_end(pod, now, 1, "Error")), started
    return _running(pod, now), started


def _wait(asked: str, image: str) -> tuple[tuple[str, str], Event] | None:
    """What a container waits for that goes as *asked*, and the event about it; None where it does not wait."""
    if asked in _PULL_ERRORS:
        message = f'Back-off pulling image "{image}": ErrImagePull: {_PULL_ERRORS[asked].format(image=image)}'
        return ("ImagePullBackOff", message), Event("Warning", "Failed", message)
    if asked == "starting":
        return ("ContainerCreating", ""), Event("Normal", "Pulling", f'Pulling image "{image}"')
    if asked == "mount-failed":
        message = 'MountVolume.SetUp failed for volume "data" : configmap "no-such-map" not found'
        return ("ContainerCreating", ""), Event("Warning", "FailedMount", message)
    if asked == "config-error":
        message = 'secret "no-such-secret" not found'
        return ("CreateContainerConfigError", message), Event("Warning", "Failed", message)
    if asked.startswith("waiting-"):
        reason = asked.removeprefix("waiting-")
        return (reason, f"It waits: {reason}"), Event("Warning", "Failed", f"It waits: {reason}")
    return None


def ends_by_itself(pod: Document) -> bool:
    """Whether *pod*, once it runs, ever ends."""
    return simulation(pod) not in ("run-forever", "restarted", "node-not-ready")


def finished_status(pod: Document, now: datetime) -> tuple[Document, Event | None]:
    """The status of *pod* when its time is over, and what is said about it."""
    asked = simulation(pod)
    if asked == "OOMKilled":
        return _terminated(pod, now, _KILLED, "OOMKilled"), None
    if asked == "Evicted":
        return _evicted(pod, now)
    if asked == "start-error":
        message = 'failed to create containerd task: exec: "no-such-program": executable file not found in $PATH'
        return _terminated(pod, now, _NOT_STARTED, "StartError", message), None
    exit_code = int(match[1]) if (match := re.fullmatch(r"exit-(\d+)", asked)) else 0
    return _terminated(pod, now, exit_code, "Error" if exit_code else "Completed"), None


def killed_status(pod: Document, now: datetime) -> Document:
    """The status of *pod* when it is deleted before it ended."""
    return _terminated(pod, now, _KILLED, "Error")


def _waiting(pod: Document, now: datetime, reason: str, message: str) -> Document:
    state = {"waiting": {"reason": reason, "message": message}}
    return _status(pod, now, "Pending", {"state": state, "ready": False, "started": False})


def _running(pod: Document, now: datetime, *, ready: bool = True, before: Document | None = None) -> Document:
    state = {"running": {"startedAt": _time(now)}}
    restarts = {"restartCount": 1, "lastState": {"terminated": before}} if before else {}
    return _status(pod, now, "Running", {"state": state, "ready": ready, "started": True, **restarts}, ready=ready)


def _terminated(pod: Document, now: datetime, exit_code: int, reason: str, message: str | None = None) -> Document:
    end = _end(pod, now, exit_code, reason) | ({"message": message} if message else {})
    phase = "Failed" if exit_code else "Succeeded"
    # null takes the earlier state away; a container may have one only.
    state = {"terminated": end, "running": None, "waiting": None}
    return _status(pod, now, phase, {"state": state, "ready": False, "started": False})


def _end(pod: Document, now: datetime, exit_code: int, reason: str) -> Document:
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
    runs = phase == "Running" and ready
    return {
        "phase": phase,
        "startTime": pod.get("status", {}).get("startTime") or _time(now),
        "hostIP": "127.0.0.1",
        "conditions": [
            _condition("Initialized", True, now),
            _condition("ContainersReady", runs, now),
            _condition("Ready", runs, now),
        ],
        "containerStatuses": [
            {
                "name": one["name"],
                "image": one["image"],
                "imageID": _digest(one["image"]) if container["started"] or "terminated" in container["state"] else "",
                "restartCount": 0,
                **container,
            }
            for one in pod["spec"]["containers"]
        ],
    }


def _digest(image: str) -> str:
    """The image as its registry would tell it, by the digest of what was pulled."""
    repository = re.sub(r"(:[^/:@]*)?(@.*)?$", "", image)
    return f"{repository}@sha256:{hashlib.sha256(image.encode()).hexdigest()}"


def _condition(name: str, holds: bool, now: datetime) -> Document:
    return {"type": name, "status": str(holds), "lastTransitionTime": _time(now)}


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
