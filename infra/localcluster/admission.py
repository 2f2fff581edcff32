"""Admission beyond RBAC: quotas, default requests and Pod Security."""

from __future__ import annotations

import itertools
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

from kubernetes.utils.quantity import parse_quantity

from infra.localcluster.kinds import JOB, LIMIT_RANGE, NAMESPACE, POD, PRIORITY_CLASS, QUOTA, SERVICE
from infra.localcluster.pod_security import violations
from infra.localcluster.selectors import at
from infra.localcluster.simulation import injected_container
from infra.localcluster.status_errors import forbidden

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.localcluster.kinds import Document, Kind
    from infra.localcluster.store import Store

Amounts = dict[str, Decimal]

_ENDED = ("Succeeded", "Failed")


class Admission:
    """Admits objects within the limits of the objects in *store*."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def admit(self, kind: Kind, namespace: str, document: Document) -> None:
        """Set the namespace's defaults; raise StatusError 403 if a limit does not allow *document*."""
        name = document["metadata"]["name"]
        if kind is POD:
            _inject(document)
            self._request_defaults(namespace, document["spec"])
            self._check_limits(namespace, name, document["spec"])
            self._check_priority(name, document["spec"])
            self._check_security(namespace, name, document["spec"])
            self._check_quotas(kind, namespace, name, _usage_of_pods([document]))
        elif kind is JOB:
            self._check_quotas(kind, namespace, name, {"count/jobs.batch": Decimal(1)})
        elif kind is SERVICE:
            self._check_quotas(kind, namespace, name, {"count/services": Decimal(1)})

    def usage(self, namespace: str) -> Amounts:
        """Return the current usage that counts against the quotas of *namespace*."""
        active = [pod for pod in self._store.all(POD, namespace) if at(pod, "status.phase") not in _ENDED]
        counted = {"count/jobs.batch": JOB, "count/services": SERVICE}
        counts = {name: Decimal(sum(1 for _ in self._store.all(kind, namespace))) for name, kind in counted.items()}
        return {**counts, **_usage_of_pods(active)}

    def _check_quotas(self, kind: Kind, namespace: str, name: str, requested: Amounts) -> None:
        for quota in self._store.all(QUOTA, namespace):
            if is_scoped(quota):
                continue
            hard = {resource: parse_quantity(value) for resource, value in quota["spec"]["hard"].items()}
            used = self.usage(namespace)
            over = [
                name
                for name in sorted(hard)
                if requested.get(name) and requested[name] + used.get(name, 0) > hard[name]
            ]
            if over:
                amounts = [f"{label}: {_format(over, of)}" for label, of in (("requested", requested), ("used", used))]
                limited = ",".join(f"{resource}={quota['spec']['hard'][resource]}" for resource in over)
                message = ", ".join([f"exceeded quota: {quota['metadata']['name']}", *amounts, f"limited: {limited}"])
                raise forbidden(kind.resource, name, message)

    def _request_defaults(self, namespace: str, pod: Document) -> None:
        for limits in self._store.all(LIMIT_RANGE, namespace):
            for limit in limits["spec"]["limits"]:
                for container in pod["containers"]:
                    resources = container.setdefault("resources", {})
                    explicit = {**resources.get("limits", {}), **(resources.get("requests") or {})}
                    resources["requests"] = {**limit.get("defaultRequest", {}), **explicit}

    def _check_limits(self, namespace: str, name: str, pod: Document) -> None:
        for limits in self._store.all(LIMIT_RANGE, namespace):
            for limit, container in itertools.product(limits["spec"]["limits"], pod["containers"]):
                requested = container["resources"].get("limits") or {}
                for resource, maximum in limit.get("max", {}).items():
                    if resource in requested and parse_quantity(requested[resource]) > parse_quantity(maximum):
                        over = (
                            f"maximum {resource} usage per Container is {maximum}, but limit is {requested[resource]}"
                        )
                        raise forbidden(POD.resource, name, over)

    def _check_priority(self, name: str, pod: Document) -> None:
        priority_class = pod.get("priorityClassName")
        if priority_class and self._store.find(PRIORITY_CLASS, "", priority_class) is None:
            raise forbidden(POD.resource, name, f"no PriorityClass with name {priority_class} was found")

    def _check_security(self, namespace: str, name: str, pod: Document) -> None:
        labels = self._store.get(NAMESPACE, "", namespace)["metadata"].get("labels", {})
        if labels.get("pod-security.kubernetes.io/enforce") == "restricted" and (found := violations(pod)):
            raise forbidden(POD.resource, name, f'violates PodSecurity "restricted:latest": {", ".join(found)}')


def _inject(pod: Document) -> None:
    """Inject the container that the outcome of *pod* needs, as the webhook of a service mesh does."""
    if pod["spec"].get("containers") and (found := injected_container(pod)):
        field, container = found
        pod["spec"][field] = [*pod["spec"].get(field, ()), container]


def is_scoped(quota: Document) -> bool:
    """Return whether *quota* counts only pods of certain priorities or affinities, which this cluster does not have."""
    return "scopeSelector" in quota["spec"]


def requests_of(pod: Document) -> Amounts:
    """Return the total requests of the containers of *pod*; a limit without a request counts as a request."""
    total: Counter[str] = Counter()
    for container in pod["spec"]["containers"]:
        resources = container.get("resources") or {}
        for resource, quantity in {**(resources.get("limits") or {}), **(resources.get("requests") or {})}.items():
            total[resource] += parse_quantity(quantity)
    return {resource: Decimal(quantity) for resource, quantity in total.items()}


def _usage_of_pods(pods: Iterable[Document]) -> Amounts:
    total: Amounts = {"pods": Decimal(0)}
    for pod in pods:
        total["pods"] += 1
        for resource, quantity in requests_of(pod).items():
            total[f"requests.{resource}"] = total.get(f"requests.{resource}", Decimal(0)) + quantity
    return total


def _format(names: Iterable[str], amounts: Amounts) -> str:
    return ",".join(f"{name}={amounts.get(name, Decimal(0)).normalize():f}" for name in names)
