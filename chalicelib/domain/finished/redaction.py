"""Redact a Job's submission and spec: an allow list says which fields are shown, and all others become `***`.

Variables, commands and whatever a webhook or kubectl adds may hold a password. So a field that is not listed here is
masked, a new one of ours too, and a listed one is shown only in the shape that is listed. Names of fields stay.
"""

from __future__ import annotations

from typing import Any, NamedTuple

REDACTED = "***"
MAX_WORDS = 256
"""As many as a submission may have."""


class MapOf(NamedTuple):
    """An object with keys of the user's choice."""

    values: Rule


Rule = MapOf | dict[str, Any] | list[Any] | None
"""What is shown: None is a string, a number, a boolean or null; `[rule]` a list, a dict an object with these fields."""


def _unredacted(*fields: str) -> dict[str, Any]:
    return dict.fromkeys(fields)


_KEY_OF = _unredacted("name", "key", "optional")
_SECURITY = {
    **_unredacted("allowPrivilegeEscalation", "privileged", "readOnlyRootFilesystem"),
    **_unredacted("runAsNonRoot", "runAsUser", "runAsGroup", "fsGroup", "fsGroupChangePolicy"),
    "capabilities": {"add": [None], "drop": [None]},
    "seccompProfile": _unredacted("type"),
    "supplementalGroups": [None],
}
_RESOURCES = {"requests": MapOf(None), "limits": MapOf(None)}
_VARIABLE = {
    "name": None,
    "valueFrom": {
        "secretKeyRef": _KEY_OF,
        "configMapKeyRef": _KEY_OF,
        "fieldRef": _unredacted("apiVersion", "fieldPath"),
        "resourceFieldRef": _unredacted("containerName", "resource", "divisor"),
    },
}
_CONTAINER = {
    **_unredacted("name", "image", "imagePullPolicy", "workingDir", "stdin", "tty", "restartPolicy"),
    **_unredacted("terminationMessagePath", "terminationMessagePolicy"),
    "env": [_VARIABLE],
    "envFrom": [{"prefix": None, "secretRef": _KEY_OF, "configMapRef": _KEY_OF}],
    "ports": [_unredacted("name", "containerPort", "protocol")],
    "resources": _RESOURCES,
    "securityContext": _SECURITY,
    "volumeMounts": [_unredacted("name", "mountPath", "readOnly", "subPath")],
}
_CLAIM_SPEC = {"accessModes": [None], "resources": _RESOURCES, **_unredacted("storageClassName", "volumeMode")}
_VOLUME = {
    "name": None,
    "emptyDir": _unredacted("medium", "sizeLimit"),
    "persistentVolumeClaim": _unredacted("claimName", "readOnly"),
    "ephemeral": {"volumeClaimTemplate": {"spec": _CLAIM_SPEC}},
    "secret": _unredacted("secretName", "optional", "defaultMode"),
    "configMap": _unredacted("name", "optional", "defaultMode"),
}
_POD = {
    **_unredacted(
        "restartPolicy", "automountServiceAccountToken", "enableServiceLinks", "subdomain", "priorityClassName"
    ),
    **_unredacted(
        "serviceAccountName", "serviceAccount", "schedulerName", "dnsPolicy", "terminationGracePeriodSeconds"
    ),
    **_unredacted("nodeName", "priority", "preemptionPolicy", "activeDeadlineSeconds"),
    "nodeSelector": MapOf(None),
    "securityContext": _SECURITY,
    "tolerations": [_unredacted("key", "operator", "value", "effect", "tolerationSeconds")],
    "containers": [_CONTAINER],
    "initContainers": [_CONTAINER],
    "volumes": [_VOLUME],
}
_FAILURE_RULE = {
    "action": None,
    "onExitCodes": {"containerName": None, "operator": None, "values": [None]},
    "onPodConditions": [_unredacted("type", "status")],
}
_SPEC = {
    **_unredacted("parallelism", "completions", "completionMode", "suspend", "manualSelector", "managedBy"),
    **_unredacted("backoffLimit", "backoffLimitPerIndex", "maxFailedIndexes", "activeDeadlineSeconds"),
    **_unredacted("ttlSecondsAfterFinished", "podReplacementPolicy"),
    "podFailurePolicy": {"rules": [_FAILURE_RULE]},
    "selector": {"matchLabels": MapOf(None)},
    "template": {"metadata": {"labels": MapOf(None)}, "spec": _POD},
}
_SUBMISSION = {
    **_unredacted("project", "image", "name", "jobNamePrefix", "type", "interactive", "workingDir", "imagePullPolicy"),
    **_unredacted("gpu", "cpu", "cpuLimit", "memory", "memoryLimit", "nodeType", "largeShm"),
    **_unredacted("parallelism", "completions", "indexed", "nodes", "backoffLimit", "backoffLimitPerIndex"),
    **_unredacted("maxFailedIndexes", "maxRuntimeSeconds", "ttlAfterFinish", "preemptible", "queue"),
    **_unredacted("runAsUid", "runAsGid", "preventPrivilegeEscalation", "stdin", "tty"),
    "environment": MapOf({"secret": _unredacted("name", "key")}),
    "retry": {"exitCodes": [None], "ignoreDisruptions": None},
    "pvc": [_unredacted("path", "name", "size", "storageClass", "readOnly")],
    "labels": MapOf(None),
    "annotations": MapOf(None),
}


def redact_submission(submission: Any) -> Any:  # noqa: ANN401 - JSON
    """*submission* with what its variables and command may hide masked; None when it is not an object."""
    if not isinstance(submission, dict):
        return None
    wrapped = submission.keys() == {"job"} and isinstance(submission["job"], dict)
    return _redact(submission["job"] if wrapped else submission, _SUBMISSION)


def redact_spec(spec: Any) -> Any:  # noqa: ANN401 - JSON
    """Redact the spec of a Job, made by this API or by kubectl."""
    return _redact(spec, _SPEC)


def _redact(value: Any, rule: Rule) -> Any:  # noqa: ANN401 - JSON
    match rule, value:
        case MapOf(), dict():
            return {key: _redact(one, rule.values) for key, one in value.items()}
        case dict(), dict():
            return {key: _redact(one, rule[key]) if key in rule else _redact_text(one) for key, one in value.items()}
        case list(), list():
            return [_redact(one, rule[0]) for one in value]
        case None, str() | int() | float() | None:
            return value
        case _:
            return _redact_text(value)


def _redact_text(value: Any) -> Any:  # noqa: ANN401 - JSON
    """As many masks as a list has items, at most 256: the number of words of a command stays known."""
    return [REDACTED] * min(len(value), MAX_WORDS) if isinstance(value, list) else REDACTED
