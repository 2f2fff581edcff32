"""What a kubelet would report of a pod, for each way a pod can go. Pure: values in, values out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.domain.indexes import INDEX_MAP
from chalicelib.domain.names import INDEX_MARK

if TYPE_CHECKING:
    from datetime import datetime

Document = dict[str, Any]

SIMULATE = "researcher.dev/simulate"
"""The pod annotation that says how the pod goes.

image-pull, config-error, starting, node-lost, exit-N, OOMKilled, Evicted or run-forever; `exit-3@1,4` is meant for the
pods of an Indexed Job that work on index 1 or 4, by RESEARCHER_INDEX_MAP where the Job is a retry."""
SIMULATE_VARIABLE = "SIMULATE"
"""The same as an environment variable, for those who can set no pod annotation."""
MISSING_IMAGE = "no-such-image"
"""An image with this in its name cannot be pulled."""

_KILLED = 137


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
    own = str(pod["metadata"].get("annotations", {}).get(INDEX_MARK, ""))
    maps = [str(one.get("value", "")) for one in variables if one["name"] == INDEX_MAP]
    return maps[0].split(",")[int(own)] if maps and own else own


def begun(pod: Document, now: datetime) -> tuple[Document, Event]:
    """The status of *pod* soon after it came to the node, and what is said about it."""
    image = pod["spec"]["containers"][0]["image"]
    match simulation(pod):
        case "image-pull":
            message = f'Back-off pulling image "{image}": ErrImagePull: {image}: not found'
            return _waiting(pod, now, "ImagePullBackOff", message), Event("Warning", "Failed", message)
        case "starting":
            return _waiting(pod, now, "ContainerCreating", ""), Event("Normal", "Pulling", f'Pulling image "{image}"')
        case "node-lost":
            lost = {"state": {"running": {"startedAt": _time(now)}}, "ready": False, "started": True}
            return _status(pod, now, "Unknown", lost), Event("Warning", "NodeNotReady", "Node is not ready")
        case "config-error":
            message = 'secret "no-such-secret" not found'
            return _waiting(pod, now, "CreateContainerConfigError", message), Event("Warning", "Failed", message)
        case _:
            return _running(pod, now), Event("Normal", "Started", "Container started")


def ends_by_itself(pod: Document) -> bool:
    """Whether *pod*, once it runs, ever ends."""
    return simulation(pod) != "run-forever"


def ended(pod: Document, now: datetime) -> tuple[Document, Event | None]:
    """The status of *pod* when its time is over, and what is said about it."""
    asked = simulation(pod)
    if asked == "OOMKilled":
        return _terminated(pod, now, _KILLED, "OOMKilled"), None
    if asked == "Evicted":
        return _evicted(pod, now)
    exit_code = int(match[1]) if (match := re.fullmatch(r"exit-(\d+)", asked)) else 0
    return _terminated(pod, now, exit_code, "Error" if exit_code else "Completed"), None


def killed(pod: Document, now: datetime) -> Document:
    """The status of *pod* when it is deleted before it ended."""
    return _terminated(pod, now, _KILLED, "Error")


def _waiting(pod: Document, now: datetime, reason: str, message: str) -> Document:
    state = {"waiting": {"reason": reason, "message": message}}
    return _status(pod, now, "Pending", {"state": state, "ready": False, "started": False})


def _running(pod: Document, now: datetime) -> Document:
    state = {"running": {"startedAt": _time(now)}}
    return _status(pod, now, "Running", {"state": state, "ready": True, "started": True})


def _terminated(pod: Document, now: datetime, exit_code: int, reason: str) -> Document:
    start = pod.get("status", {}).get("startTime") or _time(now)
    end = {"exitCode": exit_code, "reason": reason, "startedAt": start, "finishedAt": _time(now)}
    phase = "Failed" if exit_code else "Succeeded"
    # null takes the earlier state away; a container may have one only.
    state = {"terminated": end, "running": None, "waiting": None}
    return _status(pod, now, phase, {"state": state, "ready": False, "started": False})


def _evicted(pod: Document, now: datetime) -> tuple[Document, Event]:
    message = "The node was low on resource: ephemeral-storage."
    status = _terminated(pod, now, _KILLED, "Error")
    disrupted = _condition("DisruptionTarget", True, now) | {"reason": "TerminationByKubelet", "message": message}
    conditions = [*status["conditions"], disrupted]
    return status | {"reason": "Evicted", "message": message, "conditions": conditions}, Event(
        "Warning", "Evicted", message
    )


def _status(pod: Document, now: datetime, phase: str, container: Document) -> Document:
    runs = phase == "Running"
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
            {"name": one["name"], "image": one["image"], "imageID": "", "restartCount": 0, **container}
            for one in pod["spec"]["containers"]
        ],
    }


def _condition(name: str, holds: bool, now: datetime) -> Document:
    return {"type": name, "status": str(holds), "lastTransitionTime": _time(now)}


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
