"""The status of a simulated container: why it waits, when it ends, and how. Pure: values in, values out."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from infra.localcluster.kubelet_report import Event
from infra.localcluster.simulation import container_outcome, missing_reference

Document = dict[str, Any]

KILLED, TERMINATED, NOT_STARTED = 137, 143, 128
"""Exit codes: by SIGKILL, by SIGTERM, and of a container that the runtime could not start."""
IGNORE_SIGTERM = "ignore-sigterm"
_ENDLESS = frozenset({"run-forever", "restarted", "node-not-ready", "node-unreachable", IGNORE_SIGTERM})
_PULL = 'failed to pull and unpack image "{image}": '
_RESOLVE = f'{_PULL}failed to resolve reference "{{image}}": '
_PULL_ERRORS = {
    "image-pull": f"rpc error: code = NotFound desc = {_RESOLVE}{{image}}: not found",
    "image-unauthorized": f"{_RESOLVE}failed to authorize: failed to fetch oauth token: unexpected status from GET "
    "request to https://auth.registry.invalid/token: 401 Unauthorized",
    "image-unreachable": f'{_RESOLVE}failed to do request: Head "https://registry.invalid/v2/": dial tcp '
    "192.0.2.1:443: i/o timeout",
    "pull-rate-limit": f"{_PULL}failed to copy: httpReadSeeker: failed open: unexpected status code "
    "https://registry-1.docker.io/v2/: 429 Too Many Requests - Server message: toomanyrequests: You have reached your "
    "unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit",
    "pull-unauthorized": f"{_RESOLVE}pull access denied, repository does not exist or may require authorization: "
    "authorization failed: no basic auth credentials",
    "pull-certificate": f'{_RESOLVE}failed to do request: Head "https://registry.invalid/v2/": tls: failed to verify '
    "certificate: x509: certificate signed by unknown authority",
}
"""The messages of containerd when an image cannot be pulled."""


class End(NamedTuple):
    """How a container ended; the reason of an empty one follows from the exit code."""

    exit_code: int
    reason: str = ""
    message: str = ""


_ENDS = {
    "OOMKilled": End(KILLED, "OOMKilled"),
    "Evicted": End(KILLED),
    "start-error": End(
        NOT_STARTED,
        "StartError",
        'failed to create containerd task: exec: "no-such-program": executable file not found in $PATH',
    ),
}
"""The ends by outcome, besides those with an exit code."""
GONE = End(KILLED, "ContainerStatusUnknown", "The container could not be located when the pod was terminated")
"""The end of a container that never started, in a pod that has ended."""


def waiting(spec: Document, reason: str, message: str = "") -> Document:
    """Return the status of a container that waits."""
    state = {"waiting": {"reason": reason, **({"message": message} if message else {})}}
    return _status(spec, state, ready=False)


def start(pod: Document, spec: Document, now: datetime) -> tuple[Document, list[Event]]:
    """Return the status of a container that the kubelet tries to start, with the events."""
    outcome, image = container_outcome(pod, spec), spec["image"]
    if error := _PULL_ERRORS.get(outcome):
        return _pull_failure(spec, error.format(image=image))
    if outcome == "config-error":
        message = missing_reference(spec) or 'secret "no-such-secret" not found'
        message = message.format(namespace=pod["metadata"].get("namespace", ""))
        return waiting(spec, "CreateContainerConfigError", message), [Event("Warning", "Failed", f"Error: {message}")]
    if outcome.startswith("waiting-"):
        reason = outcome.removeprefix("waiting-")
        message = f"The container is waiting: {reason}"
        return waiting(spec, reason, message), [Event("Warning", "Failed", message)]
    return _running(spec, outcome, now), [Event("Normal", "Started", "Container started")]


def end_time(pod: Document, spec: Document, status: Document, run_time: timedelta) -> datetime | None:
    """Return when the running container of *status* ends, or None if it does not end by itself."""
    if not is_running(status) or is_sidecar(spec) or container_outcome(pod, spec) in _ENDLESS:
        return None
    return datetime.fromisoformat(status["state"]["running"]["startedAt"]) + run_time


def finish(pod: Document, spec: Document, status: Document, now: datetime) -> Document:
    """Return the status of a container that ends by its outcome."""
    outcome = container_outcome(pod, spec)
    if outcome in _ENDS:
        return stop(spec, status, now, _ENDS[outcome])
    match = re.fullmatch(r"exit-(\d+)", outcome)
    return stop(spec, status, now, End(int(match[1]) if match else 0))


def stop(spec: Document, status: Document, now: datetime, end: End) -> Document:
    """Return the status of a container that has ended."""
    started = (status["state"].get("running") or {}).get("startedAt") or _time(now)
    terminated = {
        "exitCode": end.exit_code,
        "reason": end.reason or ("Error" if end.exit_code else "Completed"),
        "startedAt": started,
        "finishedAt": _time(now),
        **({"message": end.message} if end.message else {}),
    }
    kept = {name: value for name, value in status.items() if name in ("restartCount", "lastState")}
    return {**_status(spec, {"terminated": terminated}, ready=False), **kept}


def is_running(status: Document) -> bool:
    """Return whether the container of *status* is running."""
    return bool(status["state"].get("running"))


def exit_code(status: Document) -> int | None:
    """Return the exit code of a container, or None if it has not ended."""
    code: int | None = (status["state"].get("terminated") or {}).get("exitCode")
    return code


def is_sidecar(spec: Document) -> bool:
    """Return whether the init container *spec* is a native sidecar."""
    return bool(spec.get("restartPolicy") == "Always")


def _pull_failure(spec: Document, error: str) -> tuple[Document, list[Event]]:
    back_off = f'Back-off pulling image "{spec["image"]}"'
    events = [
        Event("Normal", "Pulling", f'Pulling image "{spec["image"]}"'),
        Event("Warning", "Failed", f'Failed to pull image "{spec["image"]}": {error}'),
        Event("Warning", "Failed", "Error: ErrImagePull"),
        Event("Normal", "BackOff", back_off),
        Event("Warning", "Failed", "Error: ImagePullBackOff"),
    ]
    return waiting(spec, "ImagePullBackOff", f"{back_off}: ErrImagePull: {error}"), events


def _running(spec: Document, outcome: str, now: datetime) -> Document:
    running = _status(spec, {"running": {"startedAt": _time(now)}}, ready=outcome != "node-not-ready")
    if outcome != "restarted":
        return running
    crash = {"exitCode": 1, "reason": "Error", "startedAt": _time(now), "finishedAt": _time(now)}
    return {**running, "restartCount": 1, "lastState": {"terminated": crash}}


def _status(spec: Document, state: Document, *, ready: bool) -> Document:
    has_image = "waiting" not in state
    return {
        "name": spec["name"],
        "image": spec["image"],
        "imageID": _digest(spec["image"]) if has_image else "",
        "restartCount": 0,
        # null removes the previous state; a container may have only one.
        "state": {"waiting": None, "running": None, "terminated": None} | state,
        "ready": ready,
        "started": "running" in state,
    }


def _digest(image: str) -> str:
    """Return the image ID that a kubelet reports after the pull."""
    repository = re.sub(r"(:[^/:@]*)?(@.*)?$", "", image)
    return f"{repository}@sha256:{hashlib.sha256(image.encode()).hexdigest()}"


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
