"""The causes in messages of the scheduler, registries, container runtimes and the API server.

A message contains names that users chose, account numbers, digests and advice: these are removed before the message is
matched, so that an image called `authenticator` or an account 401234567890 decides nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.domain.diagnosis.causes import Cause

_QUOTED = re.compile(r'"[^"]*(?:"|$)')
"""A quoted name, or the beginning of one where the message was cut."""
_TAG = re.compile(r"(?<=\bmanifest )\S+(?= in )|(?<=\bmanifest for )\S+")
_URL = re.compile(r"\b(?:https?|docker)://\S+")
_IMAGE = re.compile(r"(?<![\w.])[\w.-]+(?::\d+)?(?:/[\w.-]+)+(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?|sha256:[0-9a-f]+")
_TAINT = re.compile(r"\{[^}]*\}")
_ADVICE = re.compile(r"You may increase the limit by [^.]*|\b(?:see|visit|for more information)\b.*", re.IGNORECASE)


def _pattern(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE)


# In this order: a rate limit or a broken connection explains a failed authorization, and not the other way round.
_REGISTRY: dict[Cause, re.Pattern[str]] = {
    "ImageUnavailable": _pattern(
        r"\b429\b|toomanyrequests|too many requests|rate ?limit|\b50[0234]\b|internal server error|bad gateway",
        r"service unavailable|time-?out|timed out|deadline exceeded|connection (refused|reset)|no such host",
        r"no route to host|network is unreachable|temporary failure|server misbehaving|\bEOF\b|broken pipe|tls: |x509",
        r"handshake|no space left|context canceled|gave http response|proxyconnect",
    ),
    "ImageUnauthorized": _pattern(
        r"\b40[13]\b|unauthorized|not authorized|forbidden|denied|authorization (failed|token)|authentication required",
        r"failed to authorize|insufficient_scope|no basic auth|credentials|reauthenticate|signature",
    ),
    "ImageNotFound": _pattern(
        r"\b404\b|not ?found|manifest[ _]unknown|name[ _]unknown|does not exist|no match for platform",
        r"no matching manifest|invalid reference|not present with pull policy|unsupported (media type|manifest)",
        r"unknown blob|blob unknown|no image found in",
    ),
}
# In this order: a volume ties the pod to a zone; then a node that only lacks resources, which may become free. Affinity
# between pods has no cause: the nodes exist, and the message says more than a remedy could.
_SCHEDULER: dict[Cause, re.Pattern[str]] = {
    "VolumeUnavailable": _pattern(
        r"persistentvolumeclaim|persistent ?volume|volume node affinity|max volume count|enough free storage",
        r"binding volumes|ReadWriteOncePod|ephemeral volume controller|unbound immediate|pvc\(s\)|CSI driver"
        r"|StorageClass|volume zone|available disk",
    ),
    "UnschedulableResources": _pattern(
        r"Insufficient |Too many pods|no nodes available|free ports|allocate all claims|resource ?claim",
        r"no instance type|limits? exceeded|exceed.* limits?|max node group size",
    ),
    "UnschedulableTaint": _pattern(r"taint|were unschedulable|not ready"),
    "UnschedulableSelector": _pattern(r"affinity/selector|node selector|node affinity|requested node name"),
}
_WEBHOOK_DENIED = re.compile(r"denied (the )?request", re.IGNORECASE)
_DENIED = re.compile(
    r"violates PodSecurity|is forbidden: (?!unable to|error looking up service account|status unknown|not yet ready)",
    re.IGNORECASE,
)
_NAMESPACE_ENDS = "because it is being terminated"
_INVALID = re.compile(r"forbidden|denied|violat|invalid|not allowed|must ", re.IGNORECASE)
_TRANSIENT = re.compile(
    r"(failed|failure) (calling|to call) webhook|failed calling|internal error occurred|etcdserver|deadline exceeded"
    r"|timed? ?out|connection (refused|reset)|no such host|too many requests|unable to handle|is unable"
    r"|service unavailable|unexpected EOF|object has been modified|http2|x509|error looking up service account"
    r"|leader changed|unable to return a response|status unknown for quota|not yet ready to handle",
    re.IGNORECASE,
)
_NODE_RUNTIME = re.compile(
    r"nvidia-container-(cli|runtime|toolkit)|libnvidia|nvidia-ctk|\bCDI\b|device error|/sys/fs/cgroup"
    r"|cgroup (configuration|mountpoint)",
    re.IGNORECASE,
)
_USER_FAULT = re.compile(
    r"executable file|exec: |exec format|no such file or directory|permission denied|not a directory|is a directory"
    r"|unable to find user|no matching entries|no command specified|chdir|working directory|invalid argument",
    re.IGNORECASE,
)
_NODE_FAULT = re.compile(
    r"deadline exceeded|timed? ?out|no space left|input/output error|reserve(d)? container name|name is reserved"
    r"|cgroup|resource temporarily unavailable|cannot allocate memory|connection (refused|reset)|containerd|shim"
    r"|context canceled|transport is closing|device or resource busy",
    re.IGNORECASE,
)
_NOT_SYNCED = re.compile(
    r"failed to sync|\bnot registered|volume \"kube-api-access|unmounted volumes=\[kube-api-access[^ \]]*\]",
    re.IGNORECASE,
)
_MISSING_CONFIG = re.compile(
    r"(secret|configmap)s? .*not found|couldn't find key|references non-existent", re.IGNORECASE
)


def registry_cause(message: str) -> Cause | None:
    """Return why an image cannot be pulled, or None if *message* does not say it."""
    return _match(_REGISTRY, _anonymous(message))


def scheduler_cause(message: str) -> Cause:
    """Return why no node takes the pod."""
    # The text after "preemption:" repeats the same phrases about the victims.
    text = _QUOTED.sub("", _TAINT.sub("", message.partition("preemption:")[0]))
    return _match(_SCHEDULER, text) or "Unknown"


def is_larger_than_nodes(message: str) -> bool:
    """Return whether the pod would fit on no node even if that were empty: preemption cannot help any of them."""
    before, found, after = message.partition("preemption:")
    return bool(found) and "Insufficient" in before and "not helpful" in after and "No preemption victims" not in after


def creation_cause(message: str) -> Cause:
    """Return why the API server did not create a pod; `Starting` for a failure that the cluster retries."""
    message = _QUOTED.sub("", message)
    if _WEBHOOK_DENIED.search(message):
        return "NoPodsAdmission"
    if "exceeded quota" in message:
        return "NoPodsQuota"
    if _DENIED.search(message):
        return "NoPodsAdmission"
    if _NAMESPACE_ENDS in message:
        return "Unknown"
    if _TRANSIENT.search(message):
        return "Starting"
    return "NoPodsAdmission" if _INVALID.search(message) else "Unknown"


def start_cause(message: str) -> Cause:
    """Return whose fault it is that a container runtime cannot start a container: the Job's or the node's."""
    message = _QUOTED.sub("", message)
    if _NODE_RUNTIME.search(message):
        return "NodeLost"
    if _USER_FAULT.search(message):
        return "CannotStart"
    return "NodeLost" if _NODE_FAULT.search(message) else "CannotStart"


def configuration_cause(message: str) -> Cause:
    """Return why the kubelet cannot configure a container."""
    if "failed to sync" in message:
        return "Unknown"
    return "ConfigMissing" if _MISSING_CONFIG.search(message) else "CannotStart"


def mount_cause(message: str) -> Cause:
    """Return why a volume of a pod cannot be mounted."""
    if _NOT_SYNCED.search(message):
        return "Unknown"
    return "ConfigMissing" if _MISSING_CONFIG.search(message) else "VolumeUnavailable"


def _anonymous(message: str) -> str:
    """Return *message* without names, URLs, digests and advice."""
    for pattern in (_ADVICE, _URL, _QUOTED, _TAG, _IMAGE):
        message = pattern.sub(" ", message)
    return message


def _match(patterns: Mapping[Cause, re.Pattern[str]], text: str) -> Cause | None:
    return next((cause for cause, pattern in patterns.items() if pattern.search(text)), None)
