"""The scheduler: gives a pod the one node, says why it cannot, and makes room for a pod of higher priority.

https://kubernetes.io/docs/concepts/scheduling-eviction/
"""

from __future__ import annotations

import copy
from collections import Counter
from typing import TYPE_CHECKING

from kubernetes.utils.quantity import parse_quantity

from chalicelib.domain.parsing.merge_patch import apply_merge_patch
from infra.localcluster.admission import requests_of
from infra.localcluster.fake_node import ALLOCATABLE, ENDED, LABELS, NAME, report
from infra.localcluster.kinds import CLAIM, NODE, POD, PRIORITY_CLASS
from infra.localcluster.pod_status import Event

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from infra.localcluster.kinds import Document
    from infra.localcluster.registry import Registry
    from infra.localcluster.store import Store

_ROOM = {resource: parse_quantity(quantity) for resource, quantity in ALLOCATABLE.items()}
_UNAVAILABLE = "0/1 nodes are available: 1 {}. no new claims to deallocate, preemption: 0/1 nodes are available: 1 {}."
"""The scheduler's words in Kubernetes 1.36."""
_NO_CLAIM = '0/1 nodes are available: persistentvolumeclaim "{}" not found. not found'
_NO_VICTIMS = "No preemption victims found for incoming pod"
_NOT_HELPFUL = "Preemption is not helpful for scheduling"


class Scheduler:
    """Looks after the pods in *store* that have no node."""

    def __init__(self, store: Store, writing: Registry) -> None:
        self._store = store
        self._writing = writing

    def step(self, moment: datetime) -> None:
        """Looks at every pod without a node, those of high priority first, as of *moment*."""
        waiting = [pod for pod in self._store.all(POD) if not pod["spec"].get("nodeName")]
        for pod in sorted(waiting, key=lambda one: (-self._priority(one), int(one["metadata"]["resourceVersion"]))):
            if pod["status"]["phase"] not in ENDED:
                self._schedule(pod, moment)

    def _schedule(self, pod: Document, moment: datetime) -> None:
        why = self._why_unschedulable(pod)
        if why and _NO_VICTIMS in why and (victims := self._victims(pod)):
            for victim in victims:
                self._evict(victim, pod)
            why = None
        if why is None:
            bound = copy.deepcopy(apply_merge_patch(pod, {"spec": {"nodeName": NAME}}))
            message = f"Successfully assigned {pod['metadata']['namespace']}/{pod['metadata']['name']} to {NAME}"
            self._report(bound, _scheduled("True", None, None, moment), Event("Normal", "Scheduled", message))
        elif why != _said(pod):
            condition = _scheduled("False", "Unschedulable", why, moment)
            self._report(pod, condition, Event("Warning", "FailedScheduling", why))

    def _why_unschedulable(self, pod: Document) -> str | None:
        """Why *pod* cannot go to the node as it is, as the scheduler says it, or None when it can."""
        claims = [one["persistentVolumeClaim"]["claimName"] for one in _volumes(pod) if "persistentVolumeClaim" in one]
        for claim in claims:
            if self._store.find(CLAIM, pod["metadata"]["namespace"], claim) is None:
                return _NO_CLAIM.format(claim)
        if kept := self._affinity_or_taint(pod):
            return _UNAVAILABLE.format(kept, _NOT_HELPFUL)
        asked = requests_of(pod)
        missing = _missing(asked, self._free_capacity())
        if missing is None:
            return None
        if asked[missing] > _ROOM.get(missing, 0):
            return _UNAVAILABLE.format(f"Insufficient {missing}", _NOT_HELPFUL)
        return _UNAVAILABLE.format(f"Insufficient {missing}", _NO_VICTIMS)

    def _affinity_or_taint(self, pod: Document) -> str | None:
        """What about the node, however empty, keeps *pod* away."""
        spec = self._store.get(NODE, "", NAME).get("spec") or {}
        if spec.get("unschedulable"):
            return "node(s) were unschedulable"
        tolerated = {one.get("key") for one in pod["spec"].get("tolerations") or ()}
        taints = [one for one in spec.get("taints") or () if one["effect"] != "PreferNoSchedule"]
        if any(taint["key"] not in tolerated for taint in taints):
            return "node(s) had untolerated taint(s)"
        if not (pod["spec"].get("nodeSelector") or {}).items() <= LABELS.items():
            return "node(s) didn't match Pod's node affinity/selector"
        return None

    def _victims(self, pod: Document) -> list[Document]:
        """The fewest pods of lower priority, the lowest first, without which there is room for *pod*."""
        own = self._priority(pod)
        there = sorted(self._free_capacity(), key=self._priority)
        for count, last in enumerate(there, start=1):
            if self._priority(last) >= own:
                return []
            if _missing(requests_of(pod), there[count:]) is None:
                return there[:count]
        return []

    def _evict(self, victim: Document, pod: Document) -> None:
        message = f"Preempted by pod {pod['metadata']['uid']} on node {NAME}"
        self._writing.record(victim, "Normal", "Preempted", message)
        self._writing.delete(POD, victim["metadata"]["namespace"], victim["metadata"]["name"], {})

    def _free_capacity(self) -> list[Document]:
        """The pods on the node that have not ended."""
        pods = self._store.all(POD)
        return [one for one in pods if one["spec"].get("nodeName") and one["status"]["phase"] not in ENDED]

    def _priority(self, pod: Document) -> int:
        name = pod["spec"].get("priorityClassName")
        found = self._store.find(PRIORITY_CLASS, "", name) if name else None
        return int(found["value"]) if found else 0

    def _report(self, pod: Document, status: Document, event: Event) -> None:
        report(self._store, self._writing, pod, status, event)


def _missing(asked: Document, there: Sequence[Document]) -> str | None:
    """What of *asked* there is too little of beside the pods *there*."""
    taken: Counter[str] = Counter()
    for pod in there:
        for resource, quantity in requests_of(pod).items():
            taken[resource] += quantity  # type: ignore[assignment] # Decimals count as well
    return next((one for one, quantity in asked.items() if quantity + taken[one] > _ROOM.get(one, 0)), None)


def _volumes(pod: Document) -> list[Document]:
    return pod["spec"].get("volumes") or []


def _said(pod: Document) -> str | None:
    conditions = [one for one in pod["status"].get("conditions", ()) if one["type"] == "PodScheduled"]
    return conditions[0].get("message") if conditions else None


def _scheduled(holds: str, reason: str | None, message: str | None, moment: datetime) -> Document:
    when = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {
        "type": "PodScheduled",
        "status": holds,
        "lastTransitionTime": when,
        "reason": reason,
        "message": message,
    }
    return {"conditions": [condition]}
