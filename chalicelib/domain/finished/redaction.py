"""Redact a Job's submission and spec: only the values of fields on an allow list are kept, all others become `***`.

Variables, commands and any field that a webhook or kubectl adds may contain a password. A field that is not listed
here is therefore redacted, including new fields of this API, and a listed field is kept only if its value has the
listed type. The names of fields are always kept.
"""

from __future__ import annotations

from typing import Any, NamedTuple

REDACTED = "***"
MAX_WORDS = 256
"""The limit for the arguments in a submission."""


class MapOf(NamedTuple):
    """The rule for an object with arbitrary keys: all values follow the same rule."""

    values: Rule


Rule = MapOf | dict[str, Any] | list[Any] | None
"""What is kept: None a string, number, boolean or null; `[rule]` an array; a dict an object with these fields."""


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
    **_unredacted("runAsUid", "runAsGid", "preventPrivilegeEscalation", "stdin", "tty", "shell"),
    "environment": MapOf({"secret": _unredacted("name", "key")}),
    "retry": {"exitCodes": [None], "ignoreDisruptions": None},
    "pvc": [_unredacted("path", "name", "size", "storageClass", "readOnly")],
    "labels": MapOf(None),
    "annotations": MapOf(None),
}


def redact_submission(submission: Any) -> Any:  # noqa: ANN401 - JSON
    """Return *submission* with all values redacted that may be secret, or None if it is not an object."""
    if not isinstance(submission, dict):
        return None
    wrapped = submission.keys() == {"job"} and isinstance(submission["job"], dict)
    return _redact(submission["job"] if wrapped else submission, _SUBMISSION)


def redact_spec(spec: Any) -> Any:  # noqa: ANN401 - JSON
    """Redact the spec of a Job, whether this API or kubectl created it."""
    return _redact(spec, _SPEC)


def _redact(value: Any, rule: Rule) -> Any:  # noqa: ANN401 - JSON
    match rule, value:
        case MapOf(), dict():
            return {key: _redact(each, rule.values) for key, each in value.items()}
        case dict(), dict():
            return {key: _redact(each, rule[key]) if key in rule else _replace(each) for key, each in value.items()}
        case list(), list():
            return [_redact(item, rule[0]) for item in value]
        case None, str() | int() | float() | None:
            return value
        case _:
            return _replace(value)


def _replace(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return `***`, or one for each item of a list up to MAX_WORDS, so that the length of a command is kept."""
    return [REDACTED] * min(len(value), MAX_WORDS) if isinstance(value, list) else REDACTED
