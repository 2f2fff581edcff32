"""Run:ai's flags of `runai submit`: those of version 1, the names of version 2, and those that cannot be honoured.

A flag that cannot be honoured is sent as the field that it stands for, so that the API answers with its own reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from researcher.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

SYNONYMS = {
    "-g": "--gpu",
    "-e": "--environment",
    "--env": "--environment",
    "--environment-variable": "--environment",
    "--job-name": "--name",
    "--name-prefix": "--job-name-prefix",
    "--gpu-devices-request": "--gpu",
    "--gpu-portion-request": "--gpu",
    "--cpu-core-request": "--cpu",
    "--cpu-core-limit": "--cpu-limit",
    "--cpu-request": "--cpu",
    "--cpu-memory-request": "--memory",
    "--cpu-memory-limit": "--memory-limit",
    "--memory-request": "--memory",
    "--image-name": "--image",
    "--labels": "--label",
    "--annotations": "--annotation",
    "--runs": "--completions",
    "--auto-deletion-time-after-completion": "--ttl-after-finish",
    "--run-as-uid": "--run-as-uid",
    "--attach": "--follow",
    "--volume-claim": "--pvc",
}
"""Other names of our flags."""
BOOLEAN = {
    "--host-ipc": "hostIpc",
    "--host-network": "hostNetwork",
    "--host-pid": "hostPid",
    "--mps": "mps",
    "--jupyter": "jupyter",
    "--elastic": "elastic",
    "--run-as-user": "runAsUser",
    "--create-home-dir": "createHomeDir",
    "--allow-privilege-escalation": "allowPrivilegeEscalation",
    "--mount-propagation": "mountPropagation",
    "--mpi": "mpi",
    "--wait-for-submit": "",
}
"""Flags without a value that cannot be honoured, and their fields; without a field they have no effect here."""
VALUED = {
    "--git-sync": "gitSync",
    "--gpu-memory": "gpuMemory",
    "--gpu-memory-request": "gpuMemory",
    "--gpu-memory-limit": "gpuMemory",
    "--gpu-portion-limit": "gpuMemory",
    "--isolation-policy": "isolationPolicy",
    "--nfs-server": "nfsServer",
    "--nfs": "nfsServer",
    "--port": "ports",
    "--ports": "ports",
    "--external-url": "ports",
    "--s3": "s3",
    "-s": "serviceType",
    "--service-type": "serviceType",
    "--template": "template",
    "--user": "user",
    "-u": "user",
    "--volume": "volume",
    "-v": "volume",
    "--host-path": "volume",
    "--node-pools": "nodePools",
    "--toleration": "tolerations",
    "--extended-resource": "extendedResources",
    "--mig-profile": "migProfile",
    "--capability": "capabilities",
    "--image-pull-secret": "imagePullSecrets",
    "--configmap-map-volume": "configMap",
    "--secret-volume": "secretVolume",
    "--preemptibility": "preemptibility",
    "--priority": "priority",
    "--workers": "workers",
    "--slots-per-worker": "slotsPerWorker",
}
"""Flags with a value that cannot be honoured, and their fields."""
IGNORED_VALUES = {"--gpu-request-type": {"device", "devices"}, "--preemptibility": set()}


class Translated(NamedTuple):
    """The arguments with our names, and the fields of the flags that cannot be honoured."""

    arguments: list[str]
    refused: dict[str, object]


def translate(  # noqa: C901 - one branch for each kind of flag
    arguments: Sequence[str], switches: frozenset[str], valued: frozenset[str] = frozenset()
) -> Translated:
    """Replace Run:ai's flags, up to `--`.

    Args:
        arguments: The words of the command line.
        switches: Our flags without a value, of which Run:ai's may have one: `--large-shm=true`.
        valued: Our flags with a value, which is not itself a flag.
    """
    words = list(arguments)
    kept: list[str] = []
    refused: dict[str, object] = {}
    while words:
        word = words.pop(0)
        if word == "--" or not word.startswith("-") or word == "-":
            return Translated([*kept, word, *words], refused)
        flag, equals, value = word.partition("=")
        flag = SYNONYMS.get(flag, flag)
        if flag in {"--command", "-c"} and not equals and (not words or words[0].startswith("-")):
            continue  # Run:ai's switch: what follows `--` is the command, as it is here anyway
        if flag == "--preemptibility":
            kept += _preemptibility(value if equals else _next(words, flag))
        elif flag == "--gpu-request-type":
            _request_type(value if equals else _next(words, flag), refused)
        elif flag in BOOLEAN:
            if BOOLEAN[flag] and value.lower() != "false":
                refused[BOOLEAN[flag]] = True
        elif flag in VALUED:
            refused[VALUED[flag]] = value if equals else _next(words, flag)
        elif flag in switches and equals:
            kept += [flag] if value.lower() == "true" else []
        else:
            kept.append(f"{flag}{equals}{value}")
            if flag in valued and not equals and words:
                kept.append(words.pop(0))
    return Translated(kept, refused)


def _next(words: list[str], flag: str) -> str:
    if not words or words[0] == "--":
        raise UsageError(f"{flag} needs a value.")
    return words.pop(0)


def _preemptibility(value: str) -> list[str]:
    return ["--preemptible"] if value.lower() == "preemptible" else []


def _request_type(value: str, refused: dict[str, object]) -> None:
    if value.lower() not in {"device", "devices"}:
        refused["gpuMemory"] = value
