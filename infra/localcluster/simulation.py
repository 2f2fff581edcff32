"""The outcomes that a pod can select, and the outcome of each of its containers. Pure: values in, values out."""

from __future__ import annotations

from typing import Any

from chalicelib.domain.labels import COMPLETION_INDEX_ANNOTATION
from chalicelib.domain.submission.reserved_variables import INDEX_MAP

Document = dict[str, Any]

SIMULATE = "researcher.dev/simulate"
"""The pod annotation that selects the outcome of the pod's first container."""
SIMULATE_VARIABLE = "SIMULATE"
"""The same as an environment variable of a container, for clients that cannot set pod annotations."""
MISSING_IMAGE = "no-such-image"
"""An image with this text in its name cannot be pulled."""
MISSING_SECRET, MISSING_KEY = "no-such-secret", "no-such-key"
"""A Secret with this name does not exist, and no Secret has this key."""

OUTCOMES = {
    "exit-N": "The program ends with exit code N.",
    "run-forever": "The program runs until its pod is deleted, and ends at once on SIGTERM.",
    "ignore-sigterm": "The program runs, ignores SIGTERM, and is killed at the end of its grace period.",
    "OOMKilled": "The program exceeds its memory limit.",
    "Evicted": "The node runs out of disk space and evicts the pod.",
    "restarted": "The program has crashed once and was restarted.",
    "start-error": "The image has no such program.",
    "starting": "The image is being pulled.",
    "image-pull": "The registry has no such image; an image named `no-such-image` does the same.",
    "image-unauthorized": "The registry refuses the credentials (401).",
    "image-unreachable": "The registry does not answer.",
    "pull-rate-limit": "The registry limits the rate of pulls (429).",
    "pull-unauthorized": "The registry, Amazon ECR, gets no credentials.",
    "pull-certificate": "The certificate of the registry is not trusted.",
    "config-error": "A Secret of the Job does not exist; a Secret named `no-such-secret` does the same.",
    "mount-failed": "A volume cannot be mounted.",
    "no-ip-address": "The node has no IP address left for the pod.",
    "device-error": "The GPU device plugin rejects the pod.",
    "waiting-REASON": "The container waits, with that reason.",
    "init-crash": "An init container, injected into the pod, fails.",
    "init-stuck": "An init container, injected into the pod, does not end.",
    "sidecar-stays": "A container, injected into the pod, runs on after the program has ended.",
    "sidecar-crash": "A native sidecar, injected into the pod, cannot be pulled.",
    "node-lost": "The phase of the pod is Unknown, which Kubernetes has not set since 2015.",
    "node-not-ready": "The node of the running pod is not ready.",
    "node-unreachable": "The node stops responding: its pod does not end until the node is removed, a minute later.",
}
"""Every outcome, with its meaning. A suffix such as `@1,4` selects the pods with index 1 or 4."""

_INJECTED = {
    "init-crash": ("initContainers", "init-mesh", "exit-1", None),
    "init-stuck": ("initContainers", "init-mesh", "run-forever", None),
    "sidecar-stays": ("containers", "mesh-proxy", "run-forever", None),
    "sidecar-crash": ("initContainers", "mesh-proxy", "image-pull", "Always"),
}
"""For each outcome with an injected container: its list, name, own outcome, and restart policy."""


def pod_outcome(pod: Document) -> str:
    """Return the outcome of the first container, which is also that of the pod as a whole."""
    return container_outcome(pod, pod["spec"]["containers"][0])


def container_outcome(pod: Document, container: Document) -> str:
    """Return the outcome that *container* selects; empty if it selects none, and so succeeds."""
    annotation = pod["metadata"].get("annotations", {}).get(SIMULATE)
    is_first = container is pod["spec"]["containers"][0]
    variables = container.get("env") or []
    values = [str(each.get("value", "")) for each in variables if each["name"] == SIMULATE_VARIABLE]
    chosen = [*([annotation] if annotation and is_first else []), *values]
    outcome, _, indexes = str(next(iter(chosen), "")).partition("@")
    if outcome and indexes and _index(pod, variables) not in indexes.split(","):
        return ""
    return outcome or _outcome_of_references(container)


def injected_container(pod: Document) -> tuple[str, Document] | None:
    """Return the list to which a service mesh would append a container for the outcome of *pod*, and the container."""
    if (found := _INJECTED.get(pod_outcome(pod))) is None:
        return None
    field, name, outcome, restart_policy = found
    restart = {"restartPolicy": restart_policy} if restart_policy else {}
    return field, {"name": name, "image": "mesh.example.com/proxy:1", **restart, **_safe_container(outcome)}


def injections() -> dict[str, tuple[str, Document]]:
    """Return for each outcome with an injected container the list in the pod and the container."""
    selecting = {name: {"env": [{"name": SIMULATE_VARIABLE, "value": name}], "image": ""} for name in _INJECTED}
    pods = {name: {"metadata": {}, "spec": {"containers": [container]}} for name, container in selecting.items()}
    return {name: found for name, pod in pods.items() if (found := injected_container(pod))}


def _safe_container(outcome: str) -> Document:
    """Return the fields of a container that Pod Security and quotas admit."""
    return {
        "env": [{"name": SIMULATE_VARIABLE, "value": outcome}],
        "resources": {name: {"cpu": "100m", "memory": "64Mi"} for name in ("requests", "limits")},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


def missing_reference(container: Document) -> str:
    """Return the kubelet's message about the first Secret or key that does not exist; empty if all do."""
    for variable in container.get("env") or ():
        reference = (variable.get("valueFrom") or {}).get("secretKeyRef") or {}
        if reference.get("name") == MISSING_SECRET:
            return f'secret "{MISSING_SECRET}" not found'
        if reference.get("key") == MISSING_KEY:
            return f"couldn't find key {MISSING_KEY} in Secret {{namespace}}/{reference['name']}"
    return ""


def _outcome_of_references(container: Document) -> str:
    if MISSING_IMAGE in container["image"]:
        return "image-pull"
    return "config-error" if missing_reference(container) else ""


def _index(pod: Document, variables: list[Document]) -> str:
    """Return the index that *pod* works on, or an empty string."""
    own = str(pod["metadata"].get("annotations", {}).get(COMPLETION_INDEX_ANNOTATION, ""))
    maps = [str(each.get("value", "")) for each in variables if each["name"] == INDEX_MAP]
    return maps[0].split(",")[int(own)] if maps and own else own
