"""The scheduler: assigns pods to the node, reports why it cannot, and preempts pods of lower priority.

https://kubernetes.io/docs/concepts/scheduling-eviction/
"""

from __future__ import annotations

import copy
from collections import Counter
from typing import TYPE_CHECKING

from kubernetes.utils.quantity import parse_quantity

from chalicelib.domain.parsing.merge_patch import apply_merge_patch
from infra.localcluster.admission import requests_of
from infra.localcluster.fake_node import ALLOCATABLE, LABELS, NAME, update_pod_status
from infra.localcluster.kinds import CLAIM, NODE, POD, PRIORITY_CLASS
from infra.localcluster.kubelet_report import Event
from infra.localcluster.pod_status import ENDED, disruption

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from infra.localcluster.kinds import Document
    from infra.localcluster.registry import Registry
    from infra.localcluster.store import Store

_CAPACITY = {resource: parse_quantity(quantity) for resource, quantity in ALLOCATABLE.items()}
_UNAVAILABLE = "0/1 nodes are available: 1 {}. no new claims to deallocate, preemption: 0/1 nodes are available: 1 {}."
"""The scheduler's message in Kubernetes 1.36."""
_NO_CLAIM = '0/1 nodes are available: persistentvolumeclaim "{}" not found. not found'
_NO_VICTIMS = "No preemption victims found for incoming pod"
_PREEMPTED = "default-scheduler: preempting to accommodate a higher priority pod"
_NOT_HELPFUL = "Preemption is not helpful for scheduling"


class Scheduler:
    """Schedules the pods in *store* that have no node."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self._registry = registry

    def step(self, moment: datetime) -> None:
        """Schedule every pod without a node at the time *moment*, in order of priority."""
        waiting = [pod for pod in self._store.all(POD) if not pod["spec"].get("nodeName")]
        for pod in sorted(waiting, key=lambda pod: (-self._priority(pod), int(pod["metadata"]["resourceVersion"]))):
            if pod["status"]["phase"] not in ENDED:
                self._schedule(pod, moment)

    def _schedule(self, pod: Document, moment: datetime) -> None:
        reason = self._why_unschedulable(pod)
        if reason and _NO_VICTIMS in reason:
            for victim in self._victims(pod):
                self._preempt(victim, pod, moment)
        if reason is None:
            bound = copy.deepcopy(apply_merge_patch(pod, {"spec": {"nodeName": NAME}}))
            message = f"Successfully assigned {pod['metadata']['namespace']}/{pod['metadata']['name']} to {NAME}"
            self._report(bound, _scheduled("True", None, None, moment), Event("Normal", "Scheduled", message))
        elif reason != _scheduled_message(pod):
            condition = _scheduled("False", "Unschedulable", reason, moment)
            self._report(pod, condition, Event("Warning", "FailedScheduling", reason))

    def _why_unschedulable(self, pod: Document) -> str | None:
        """Return why *pod* cannot be assigned to the node, with the scheduler's message, or None if it can."""
        claims = [
            each["persistentVolumeClaim"]["claimName"] for each in _volumes(pod) if "persistentVolumeClaim" in each
        ]
        for claim in claims:
            if self._store.find(CLAIM, pod["metadata"]["namespace"], claim) is None:
                return _NO_CLAIM.format(claim)
        if mismatch := self._affinity_or_taint(pod):
            return _UNAVAILABLE.format(mismatch, _NOT_HELPFUL)
        requests = requests_of(pod)
        missing = _insufficient(requests, self._running_pods())
        if missing is None:
            return None
        if requests[missing] > _CAPACITY.get(missing, 0):
            return _UNAVAILABLE.format(f"Insufficient {missing}", _NOT_HELPFUL)
        return _UNAVAILABLE.format(f"Insufficient {missing}", _NO_VICTIMS)

    def _affinity_or_taint(self, pod: Document) -> str | None:
        """Return the property of the node that excludes *pod* regardless of free capacity, or None."""
        spec = self._store.get(NODE, "", NAME).get("spec") or {}
        if spec.get("unschedulable"):
            return "node(s) were unschedulable"
        tolerated = {each.get("key") for each in pod["spec"].get("tolerations") or ()}
        taints = [taint for taint in spec.get("taints") or () if taint["effect"] != "PreferNoSchedule"]
        if any(taint["key"] not in tolerated for taint in taints):
            return "node(s) had untolerated taint(s)"
        if not (pod["spec"].get("nodeSelector") or {}).items() <= LABELS.items():
            return "node(s) didn't match Pod's node affinity/selector"
        return None

    def _victims(self, pod: Document) -> list[Document]:
        """Return the fewest pods of lower priority whose preemption frees enough capacity for *pod*.

        There are none while earlier victims are still terminating.
        """
        own = self._priority(pod)
        if any("deletionTimestamp" in each["metadata"] for each in self._running_pods() if self._priority(each) < own):
            return []
        candidates = sorted(self._running_pods(), key=self._priority)
        for count, last in enumerate(candidates, start=1):
            if self._priority(last) >= own:
                return []
            if _insufficient(requests_of(pod), candidates[count:]) is None:
                return candidates[:count]
        return []

    def _preempt(self, victim: Document, pod: Document, moment: datetime) -> None:
        """Delete *victim*; *pod* waits until it has ended."""
        condition = disruption("PreemptionByScheduler", _PREEMPTED, moment)
        update_pod_status(self._store, victim, {"conditions": [condition]})
        message = f"Preempted by pod {pod['metadata']['uid']} on node {NAME}"
        self._registry.record(victim, "Normal", "Preempted", message)
        self._registry.delete(POD, victim["metadata"]["namespace"], victim["metadata"]["name"], {})

    def _running_pods(self) -> list[Document]:
        """Return the pods on the node that have not terminated."""
        pods = self._store.all(POD)
        return [pod for pod in pods if pod["spec"].get("nodeName") and pod["status"]["phase"] not in ENDED]

    def _priority(self, pod: Document) -> int:
        name = pod["spec"].get("priorityClassName")
        found = self._store.find(PRIORITY_CLASS, "", name) if name else None
        return int(found["value"]) if found else 0

    def _report(self, pod: Document, status: Document, event: Event) -> None:
        update_pod_status(self._store, pod, status)
        self._registry.record(pod, event.type, event.reason, event.message)


def _insufficient(requests: Document, pods: Sequence[Document]) -> str | None:
    """Return the first of the *requests* that exceeds the free capacity beside *pods*, or None."""
    used: Counter[str] = Counter()
    for pod in pods:
        for resource, quantity in requests_of(pod).items():
            used[resource] += quantity  # type: ignore[assignment] # a Counter of Decimals
    return next((name for name, quantity in requests.items() if quantity + used[name] > _CAPACITY.get(name, 0)), None)


def _volumes(pod: Document) -> list[Document]:
    return pod["spec"].get("volumes") or []


def _scheduled_message(pod: Document) -> str | None:
    conditions = [each for each in pod["status"].get("conditions", ()) if each["type"] == "PodScheduled"]
    return conditions[0].get("message") if conditions else None


def _scheduled(status: str, reason: str | None, message: str | None, moment: datetime) -> Document:
    when = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {
        "type": "PodScheduled",
        "status": status,
        "lastTransitionTime": when,
        "reason": reason,
        "message": message,
    }
    return {"conditions": [condition]}
