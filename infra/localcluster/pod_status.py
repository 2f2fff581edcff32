"""The status of a simulated pod: its phase and conditions, from the statuses of its containers. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.localcluster.container_status import exit_code, is_running, is_sidecar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

Document = dict[str, Any]
Statuses = dict[str, Document]
"""The statuses of containers, by name."""
ENDED = ("Succeeded", "Failed")
"""Phases of pods that use no resources any more."""


def containers(pod: Document) -> list[Document]:
    """Return the containers of *pod* without the init containers."""
    found: list[Document] = pod["spec"]["containers"]
    return found


def init_containers(pod: Document) -> list[Document]:
    """Return the init containers of *pod*, among them native sidecars."""
    return pod["spec"].get("initContainers") or []


def statuses_of(pod: Document) -> Statuses:
    """Return the statuses of all containers of *pod*."""
    status = pod.get("status", {})
    every = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
    return {each["name"]: each for each in every}


def is_initialized(pod: Document, statuses: Mapping[str, Document]) -> bool:
    """Return whether every init container has succeeded, or is running if it is a sidecar."""
    return all(_is_past(spec, statuses[spec["name"]]) for spec in init_containers(pod))


def build_status(pod: Document, statuses: Mapping[str, Document], now: datetime, **fields: object) -> Document:
    """Return the status of *pod* with the containers' *statuses*; *fields* override the computed ones."""
    inits = [statuses[spec["name"]] for spec in init_containers(pod)]
    mains = [statuses[spec["name"]] for spec in containers(pod)]
    phase = fields.get("phase") or _phase(pod, statuses)
    ready = phase == "Running" and all(each["ready"] for each in mains)
    return {
        "phase": phase,
        "startTime": pod.get("status", {}).get("startTime") or time(now),
        "hostIP": "127.0.0.1",
        "conditions": _conditions(pod, statuses, now, ready=ready),
        **({"initContainerStatuses": inits} if inits else {}),
        "containerStatuses": mains,
        **fields,
    }


def disruption(reason: str, message: str, now: datetime) -> Document:
    """Return the condition of a pod that the cluster terminates."""
    return _condition("DisruptionTarget", now, True, reason, message)


def time(moment: datetime) -> str:
    """Return *moment* in the format of Kubernetes."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _phase(pod: Document, statuses: Mapping[str, Document]) -> str:
    """Return the phase of a pod with the restart policy `Never`, as the kubelet computes it."""
    failed_init = any(exit_code(statuses[spec["name"]]) for spec in init_containers(pod) if not is_sidecar(spec))
    mains = [statuses[spec["name"]] for spec in containers(pod)]
    codes = [exit_code(each) for each in mains]
    if all(code is not None for code in codes):
        return "Failed" if any(codes) else "Succeeded"
    if failed_init:
        return "Failed"
    waits = any(not is_running(each) and code is None for each, code in zip(mains, codes, strict=True))
    return "Pending" if waits else "Running"


def _is_past(spec: Document, status: Document) -> bool:
    return is_running(status) if is_sidecar(spec) else exit_code(status) == 0


def _conditions(pod: Document, statuses: Mapping[str, Document], now: datetime, *, ready: bool) -> Sequence[Document]:
    unready = [spec["name"] for spec in containers(pod) if not statuses[spec["name"]]["ready"]]
    incomplete = [spec["name"] for spec in init_containers(pod) if not _is_past(spec, statuses[spec["name"]])]
    not_ready = ("ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]")
    not_initialized = ("ContainersNotInitialized", f"containers with incomplete status: [{' '.join(incomplete)}]")
    return [
        _condition("Initialized", now, not incomplete, *(not_initialized if incomplete else ())),
        _condition("ContainersReady", now, ready, *(() if ready else not_ready)),
        _condition("Ready", now, ready, *(() if ready else not_ready)),
    ]


def _condition(
    kind: str, now: datetime, holds: bool, reason: str | None = None, message: str | None = None
) -> Document:
    why = {"reason": reason, "message": message}
    return {"type": kind, "status": str(holds), "lastTransitionTime": time(now), **why}
