"""A check of pod specs against the restricted profile of the Pod Security Standards.

See https://kubernetes.io/docs/concepts/security/pod-security-standards/; it covers pods on Linux.
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
HOST_NAMESPACES = ("hostNetwork", "hostPID", "hostIPC")


def violations(pod: Manifest) -> list[str]:
    """Return the fields of *pod* that violate the restricted profile."""
    containers = [*pod.get("initContainers", []), *pod["containers"], *pod.get("ephemeralContainers", [])]
    return [
        *_pod_violations(pod),
        *(field for container in containers for field in _container_violations(container, pod)),
    ]


def _pod_violations(pod: Manifest) -> Iterator[str]:
    shared = pod.get("securityContext", {})
    yield from (field for field in HOST_NAMESPACES if pod.get(field))
    for volume in pod.get("volumes", []):
        yield from (f"volume {kind}" for kind in volume.keys() - {"name"} - VOLUMES)
    yield from (
        field for field in ("sysctls", "seLinuxOptions", "appArmorProfile", "windowsOptions") if field in shared
    )


def _container_violations(container: Manifest, pod: Manifest) -> Iterator[str]:
    security_context = container.get("securityContext", {})
    effective = {**pod.get("securityContext", {}), **security_context}
    capabilities = security_context.get("capabilities", {})
    checks = {
        "privileged": security_context.get("privileged", False),
        "allowPrivilegeEscalation": security_context.get("allowPrivilegeEscalation", True),
        "capabilities.drop": "ALL" not in capabilities.get("drop", []),
        "capabilities.add": set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"},
        "runAsNonRoot": not effective.get("runAsNonRoot"),
        "runAsUser": effective.get("runAsUser") == 0,
        "seccompProfile": effective.get("seccompProfile", {}).get("type") not in SECCOMP,
        "procMount": security_context.get("procMount", "Default") != "Default",
        "hostPort": any(port.get("hostPort") for port in container.get("ports", [])),
        "seLinuxOptions": "seLinuxOptions" in security_context,
        "appArmorProfile": "appArmorProfile" in security_context,
        "windowsOptions": "windowsOptions" in security_context,
    }
    yield from (field for field, violated in checks.items() if violated)
