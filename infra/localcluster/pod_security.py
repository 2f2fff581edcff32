"""The restricted profile of the Pod Security Standards, as a check of a pod's spec.

After https://kubernetes.io/docs/concepts/security/pod-security-standards/ for a pod on Linux.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.domain.kubernetes.jobs import Manifest

VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
SECCOMP = {"RuntimeDefault", "Localhost"}
NODES_OWN = ("hostNetwork", "hostPID", "hostIPC")


def violations(pod: Manifest) -> list[str]:
    """What the restricted profile refuses of *pod*; empty when it takes the pod."""
    containers = [*pod.get("initContainers", []), *pod["containers"], *pod.get("ephemeralContainers", [])]
    return [*_of_pod(pod), *(found for container in containers for found in _of_container(container, pod))]


def _of_pod(pod: Manifest) -> Iterator[str]:
    shared = pod.get("securityContext", {})
    yield from (field for field in NODES_OWN if pod.get(field))
    for volume in pod.get("volumes", []):
        yield from (f"volume {kind}" for kind in volume.keys() - {"name"} - VOLUMES)
    yield from (
        field for field in ("sysctls", "seLinuxOptions", "appArmorProfile", "windowsOptions") if field in shared
    )


def _of_container(container: Manifest, pod: Manifest) -> Iterator[str]:
    own = container.get("securityContext", {})
    context = {**pod.get("securityContext", {}), **own}
    capabilities = own.get("capabilities", {})
    refused = {
        "privileged": own.get("privileged", False),
        "allowPrivilegeEscalation": own.get("allowPrivilegeEscalation", True),
        "capabilities.drop": "ALL" not in capabilities.get("drop", []),
        "capabilities.add": set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"},
        "runAsNonRoot": not context.get("runAsNonRoot"),
        "runAsUser": context.get("runAsUser") == 0,
        "seccompProfile": context.get("seccompProfile", {}).get("type") not in SECCOMP,
        "procMount": own.get("procMount", "Default") != "Default",
        "hostPort": any(port.get("hostPort") for port in container.get("ports", [])),
        "seLinuxOptions": "seLinuxOptions" in own,
        "appArmorProfile": "appArmorProfile" in own,
        "windowsOptions": "windowsOptions" in own,
    }
    yield from (field for field, found in refused.items() if found)
