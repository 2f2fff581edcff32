"""The sentence for each pattern of a field, and an example of each field. Imported only for refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from pydantic import StringConstraints

from chalicelib.domain.submission import fields

if TYPE_CHECKING:
    from collections.abc import Iterator

_LABEL_TEXT = "must have only letters, digits, hyphens, dots and underscores, and begin and end with a letter or digit"
_MEMORY = "must be a number with at most three decimals and one of the units k, M, G, T, P, Ki, Mi, Gi, Ti, Pi, such as"
_NAME = "must have only lower-case letters, digits and hyphens, and begin and end with a letter or digit"

_IMAGE = (
    "must be an image as in docker pull, such as nvcr.io/nvidia/pytorch:26.10-py3, without spaces, quotes, a URL "
    "scheme or a password"
)

_FORMS: tuple[tuple[Any, str], ...] = (
    (fields.Text, "must not contain the character NUL"),
    (fields.Project, "must have 1 to 50 lower-case letters, digits and inner hyphens"),
    (fields.NewJobName, "must have 1 to 52 lower-case letters, digits and inner hyphens"),
    (fields.JobNamePrefix, _NAME),
    (fields.DnsLabel, _NAME),
    (fields.DnsSubdomain, "must have only lower-case letters, digits, hyphens and dots, as names in Kubernetes have"),
    (fields.Image, _IMAGE),
    (fields.Memory, f"{_MEMORY} 64Gi or 1.5Gi"),
    (fields.Duration, "must be a number of seconds, or a whole number with one unit: 90s, 30m, 3h or 7d"),
    (fields.AbsolutePath, "must be an absolute path, which begins with /, without a colon"),
    (
        fields.VariableName,
        "must have a name of letters, digits, underscores, dots and hyphens that does not begin with a digit",
    ),
    (fields.LabelValue, f"{_LABEL_TEXT}; put other text in annotations"),
    (fields.SecretKey.model_fields["key"].rebuild_annotation(), _LABEL_TEXT.partition(", and")[0]),
)

FORMS_OF_FIELDS = {
    "nodeType": "must be an instance type, such as p5.48xlarge",
}
"""The sentence of a field whose pattern another field has, too, by the path of the field."""

_MILLICORES = "write millicores as a decimal: 500m is 0.5"
HINTS = {
    "cpu": _MILLICORES,
    "cpuLimit": _MILLICORES,
    "gpu": "write the number of GPUs, such as 1; `nodeType` selects their model",
    "largeShm": "write true: its size is limited by the memory of the pod",
    "maxRuntimeSeconds": "write the seconds: 1h is 3600",
}
"""What to write in place of a string in a number or a boolean, by the path of the field."""
REQUIRED = (("project",), ("image",), ("pvc", "*", "path"))
"""The paths of the fields that cannot be left out, of those that a person sets to null."""

EXAMPLES: dict[str, str] = {
    "project": '"team-a"',
    "image": '"nvcr.io/nvidia/pytorch:26.10-py3"',
    "name": '"train-1"',
    "jobNamePrefix": '"train"',
    "command": '"python train.py --epochs 3"',
    "script": '"cd /workspace && python train.py"',
    "shell": '"sh"',
    "arguments": '["--epochs", "3"]',
    "environment": '{"LEARNING_RATE": "0.1"}',
    "workingDir": '"/workspace"',
    "gpu": "1",
    "cpu": "0.5",
    "cpuLimit": "4",
    "memory": '"16Gi"',
    "memoryLimit": '"32Gi"',
    "nodeType": '"p5.48xlarge"',
    "ttlAfterFinish": '"3h"',
    "maxRuntimeSeconds": "3600",
    "queue": '"team-a-queue"',
    "labels": '{"team": "vision"}',
    "annotations": '{"note": "a second try"}',
    "pvc": '[{"name": "datasets", "path": "/data"}]',
    "retry": '{"ignoreDisruptions": true}',
    "parallelism": "4",
    "completions": "8",
    "nodes": "2",
    "backoffLimit": "2",
    "indexed": "true",
    "interactive": "true",
    "preemptible": "true",
    "largeShm": "true",
    "imagePullPolicy": '"IfNotPresent"',
    "type": '"Train"',
    "runAsUid": "1000",
    "runAsGid": "1000",
    "backoffLimitPerIndex": "1",
    "maxFailedIndexes": "2",
    "preventPrivilegeEscalation": "true",
    "stdin": "true",
    "tty": "true",
    "environment/*": '"0.1" or {"secret": {"name": "hf", "key": "token"}}',
    "environment/*/secret": '{"name": "hf", "key": "token"}',
    "environment/*/secret/name": '"hf"',
    "environment/*/secret/key": '"token"',
    "pvc/*": '{"name": "datasets", "path": "/data"}',
    "pvc/*/path": '"/data"',
    "pvc/*/name": '"datasets"',
    "pvc/*/size": '"100Gi"',
    "pvc/*/storageClass": '"gp3"',
    "pvc/*/readOnly": "true",
    "retry/exitCodes": "[42, 43]",
    "retry/exitCodes/*": "42",
    "retry/ignoreDisruptions": "true",
    "command/*": '"train.py"',
    "arguments/*": '"0.1", in quotes',
    "labels/*": '"vision"',
    "annotations/*": '"a second try"',
}
"""A value for each field in JSON, by its path; `*` is any index or key."""


def forms() -> dict[str, str]:
    """Return the sentence for each pattern of `fields`."""
    return {pattern: sentence for kind, sentence in _FORMS for pattern in _patterns(kind)}


def _patterns(kind: Any) -> Iterator[str]:  # noqa: ANN401 - an annotated type
    for part in get_args(kind):
        if isinstance(part, StringConstraints) and isinstance(part.pattern, str):
            yield part.pattern
        else:
            yield from _patterns(part)
