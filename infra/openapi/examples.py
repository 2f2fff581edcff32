"""An example for each property of each schema: from the examples of requests and responses, and from MORE."""

from __future__ import annotations

from typing import Any

import msgspec

from chalicelib.domain.errors import ClusterUnavailable, JobNotFound
from chalicelib.functions.openapi import PLACEHOLDER
from infra.openapi.portable import REFERENCE

JsonObject = dict[str, Any]

_DOCS = PLACEHOLDER + "/docs"
_UNAVAILABLE = msgspec.to_builtins(ClusterUnavailable("Try again.").problem(None, _DOCS))

MORE: dict[str, JsonObject] = {
    "Deletion": {"error": msgspec.to_builtins(JobNotFound("The Job does not exist.").problem(None, _DOCS))},
    "Diagnosis": {"exitCode": 137, "failedPod": "train-1-x7k2p"},
    "Health": {"kubernetes": "v1.36.2-eks-3b1c5d", "groups": ["team-a"]},
    "AllJobsPage": {
        "nextPageToken": "team-a_eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ",
        "failed": [{"project": "team-b", "error": _UNAVAILABLE}],
    },
    "IndexPage": {"nextPageToken": "100"},
    "JobPage": {"nextPageToken": "eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ", "unfinished": 3},
    "ProjectFailure": {"project": "team-b", "error": _UNAVAILABLE},
    "JobView": {
        "reason": "OOMKilled",
        "message": "The container ended with exit code 137.",
        "exitCode": 137,
        "failedPod": "train-1-x7k2p",
        "finishedAt": 1795514401000,
        "completedIndexes": "0-3,5",
        "failedIndexes": "4,6-7",
        "submission": {"project": "team-a", "image": "nvcr.io/nvidia/pytorch:26.10-py3", "gpu": 4},
    },
    "Submission": {
        "project": "team-a",
        "image": "nvcr.io/nvidia/pytorch:26.10-py3",
        "name": "train-1",
        "jobNamePrefix": "train",
        "type": "Train",
        "interactive": False,
        "command": "python train.py",
        "script": "pip install --user -r requirements.txt\npython train.py --seed $JOB_COMPLETION_INDEX\n",
        "shell": "bash",
        "arguments": ["--epochs", "3"],
        "environment": {
            "LEARNING_RATE": "0.001",
            "HF_TOKEN": {"secret": {"name": "hugging-face", "key": "token"}},
        },
        "workingDir": "/workspace",
        "gpu": 4,
        "cpu": 8,
        "cpuLimit": 16,
        "memory": "64Gi",
        "memoryLimit": "128Gi",
        "nodeType": "p5.48xlarge",
        "parallelism": 4,
        "completions": 8,
        "indexed": True,
        "nodes": 2,
        "backoffLimit": 3,
        "backoffLimitPerIndex": 1,
        "maxFailedIndexes": 2,
        "retry": {"exitCodes": [75], "ignoreDisruptions": True},
        "maxRuntimeSeconds": 86400,
        "ttlAfterFinish": "3h",
        "preemptible": True,
        "queue": "gpu-queue",
        "largeShm": True,
        "pvc": [
            {"path": "/data", "name": "datasets", "size": "500Gi", "storageClass": "gp3", "readOnly": True},
        ],
        "imagePullPolicy": "IfNotPresent",
        "runAsUid": 1000,
        "runAsGid": 1000,
        "preventPrivilegeEscalation": True,
        "stdin": True,
        "tty": True,
        "labels": {"sweep": "7"},
        "annotations": {"ticket": "ML-42"},
    },
}
"""One value for each property, by the names of the schemas. Some fields of a Submission exclude each other."""


def add_examples(document: JsonObject) -> None:
    """Add to each property in *document* the first value that an example has for it, unless the value is null."""
    schemas: dict[str, JsonObject] = document["components"]["schemas"]
    for content in _contents(document):
        for case in content.get("examples", {}).values():
            _record(content["schema"], case["value"], schemas)
        if "example" in content:
            _record(content["schema"], content["example"], schemas)
    for name, value in [*MORE.items(), ("SubmissionPatch", MORE["Submission"]), ("WrappedSubmission", _WRAPPED)]:
        _record({"$ref": REFERENCE + name}, value, schemas)


_WRAPPED = {"job": {name: MORE["Submission"][name] for name in ("project", "name", "image", "gpu")}}


def _contents(part: Any) -> list[JsonObject]:  # noqa: ANN401 - any part of the document
    """Return the media types in *part* that have a schema and examples."""
    if isinstance(part, list):
        return [found for each in part for found in _contents(each)]
    if not isinstance(part, dict):
        return []
    own = [part] if "schema" in part and part.keys() & {"example", "examples"} else []
    return own + [found for each in part.values() for found in _contents(each)]


def _record(schema: JsonObject, value: object, schemas: dict[str, JsonObject]) -> None:
    """Add the parts of *value* as examples to the properties of *schema* that have none."""
    if reference := schema.get("$ref"):
        _record(schemas[reference.removeprefix(REFERENCE)], value, schemas)
    for option in [*schema.get("oneOf", []), *schema.get("anyOf", [])]:
        _record(option, value, schemas)
    if isinstance(value, (list, tuple)):
        for each in value:
            _record(schema.get("items", {}), each, schemas)
    if not isinstance(value, dict):
        return
    for name, part in value.items():
        field = schema.get("properties", {}).get(name) or schema.get("additionalProperties") or {}
        if "properties" in schema and part is not None:
            field.setdefault("examples", [part])
        if isinstance(field, dict):
            _record(field, part, schemas)
