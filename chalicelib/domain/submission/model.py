"""The submission of a Job, with Run:ai's field names, validated from untrusted JSON."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from pydantic import Field, ValidationError, ValidationInfo, field_validator

from chalicelib.domain.errors import InvalidJob
from chalicelib.domain.kubernetes.quantities import MAX_SECONDS, memory_bytes
from chalicelib.domain.submission.fields import (
    AbsolutePath,
    Claim,
    Cores,
    DnsLabel,
    Duration,
    Environment,
    Gpus,
    Image,
    JobNamePrefix,
    Key,
    LabelText,
    Memory,
    NewJobName,
    NodeType,
    Project,
    Retry,
    Strict,
    TextList,
    TextValue,
    Words,
)
from chalicelib.domain.submission.reserved_variables import RENDEZVOUS_VARIABLES
from chalicelib.domain.submission.script import Script, Shell  # noqa: TC001 - pydantic evaluates the annotations

Value = TypeVar("Value")

SHARED_MEMORY = "/dev/shm"  # nosec B108 # noqa: S108 - a mount path in the container


class Submission(Strict):
    """A Job to run. Field names and semantics are those of Run:ai; docs/reference/fields.md compares each field."""

    project: Annotated[Project, Field(description="The Project the Job belongs to.")]
    image: Annotated[Image, Field(description="The container image, with tag or digest.")]
    name: Annotated[NewJobName | None, Field(description="The Job's name; generated if it is missing.")] = None
    job_name_prefix: Annotated[JobNamePrefix | None, Field(description="The prefix of a generated name.")] = None
    type: Annotated[Literal["Train", "Interactive"] | None, Field(description="The type; default: Train.")] = None
    interactive: Annotated[bool | None, Field(description="true is the same as type Interactive.")] = None
    command: Annotated[Words | None, Field(description="Replaces the image's entry point.")] = None
    script: Annotated[
        Script | None, Field(description="A shell script in place of command; it ends when a command of it fails.")
    ] = None
    shell: Annotated[Shell, Field(description="The shell of script: /bin/bash -ec or /bin/sh -ec.")] = "bash"
    arguments: Annotated[TextList, Field(description="Arguments of the command or script.")] = []
    environment: Annotated[
        Environment, Field(description="Variables: each a value or a reference to a key of a Secret.")
    ] = {}
    working_dir: Annotated[AbsolutePath | None, Field(description="The working directory of the command.")] = None
    gpu: Annotated[Gpus, Field(description="GPUs for each pod.")] = 0
    cpu: Annotated[Cores | None, Field(description="CPU request of each pod, in cores.")] = None
    cpu_limit: Annotated[Cores | None, Field(description="CPU limit of each pod, in cores.")] = None
    memory: Annotated[Memory | None, Field(description="Memory request of each pod; at most 32Ti.")] = None
    memory_limit: Annotated[Memory | None, Field(description="Memory limit of each pod; default: memory.")] = None
    node_type: Annotated[NodeType | None, Field(description="Instance type of the node, such as p5.48xlarge.")] = None
    parallelism: Annotated[int, Field(ge=1, le=1024, description="Pods that run at the same time.")] = 1
    completions: Annotated[int | None, Field(ge=1, le=100_000, description="Pods that must succeed.")] = None
    indexed: Annotated[bool, Field(description="Give each pod its index in JOB_COMPLETION_INDEX.")] = False
    nodes: Annotated[
        int | None, Field(ge=1, le=256, description="Pods of a distributed Job, with a rendezvous for torchrun.")
    ] = None
    backoff_limit: Annotated[
        int | None, Field(ge=0, le=100, description="Retries of the Job; 6 unless backoffLimitPerIndex is set.")
    ] = None
    backoff_limit_per_index: Annotated[
        int | None, Field(ge=0, le=100, description="Retries before an index fails; the other indexes continue.")
    ] = None
    max_failed_indexes: Annotated[
        int | None, Field(ge=0, le=100_000, description="The Job fails when more indexes than this have failed.")
    ] = None
    retry: Annotated[Retry | None, Field(description="Which failures are retried; default: all.")] = None
    max_runtime_seconds: Annotated[int | None, Field(ge=1, le=MAX_SECONDS, description="Maximum runtime.")] = None
    ttl_after_finish: Annotated[Duration | None, Field(description="How long a finished Job is kept: 3600, 3h.")] = None
    preemptible: Annotated[bool, Field(description="Allow preemption by Jobs that are not preemptible.")] = False
    queue: Annotated[DnsLabel | None, Field(description="The Kueue queue the Job waits in.")] = None
    large_shm: Annotated[bool, Field(description="Mount memory at /dev/shm; counts as memory of the pod.")] = False
    pvc: Annotated[list[Claim], Field(max_length=16, description="Volumes.")] = []
    image_pull_policy: Annotated[
        Literal["Always", "IfNotPresent", "Never"] | None, Field(description="When the node pulls the image.")
    ] = None
    run_as_uid: Annotated[int, Field(ge=1, le=2**31 - 1, description="User ID; root is not allowed.")] = 1000
    run_as_gid: Annotated[int, Field(ge=1, le=2**31 - 1, description="Group ID, also of the volumes.")] = 1000
    prevent_privilege_escalation: Annotated[Literal[True], Field(description="Always true.")] = True
    stdin: Annotated[bool, Field(description="Keep the container's standard input open.")] = False
    tty: Annotated[bool, Field(description="Allocate a terminal for the container.")] = False
    labels: Annotated[dict[Key, LabelText], Field(max_length=32, description="Labels of the Job, for filtering.")] = {}
    annotations: Annotated[dict[Key, TextValue], Field(max_length=32, description="Annotations of the Job.")] = {}

    @property
    def job_type(self) -> str:
        """`Train` or `Interactive`, from either of the two fields."""
        return "Interactive" if self.interactive or self.type == "Interactive" else "Train"

    @property
    def max_memory(self) -> str | None:
        """The memory limit of each pod, or None for the default of the Project."""
        return self.memory_limit or self.memory

    @property
    def as_submitted(self) -> bytes:
        """The submission in JSON without defaults; the order is kept, since a variable can refer to preceding ones."""
        return msgspec.json.encode(self._without_defaults)

    @property
    def identity(self) -> bytes:
        """The submission in canonical JSON, which depends neither on the order of keys nor on new optional fields."""
        return msgspec.json.encode(self._without_defaults, order="deterministic")

    @property
    def _without_defaults(self) -> dict[str, Any]:
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    @field_validator("job_name_prefix")
    @classmethod
    def _exclusive_names(cls, prefix: str | None, info: ValidationInfo) -> str | None:
        return _require(prefix, not (prefix and info.data.get("name")), "set name or jobNamePrefix, not both")

    @field_validator("interactive")
    @classmethod
    def _consistent_type(cls, interactive: bool | None, info: ValidationInfo) -> bool | None:
        consistent = interactive is None or info.data.get("type") in (
            None,
            "Interactive" if interactive else "Train",
        )
        return _require(interactive, consistent, "must not contradict type; remove one of the two")

    @field_validator("cpu_limit")
    @classmethod
    def _cpu_within(cls, limit: float | None, info: ValidationInfo) -> float | None:
        return _require(limit, not limit or limit >= (info.data.get("cpu") or 0), "must be at least cpu")

    @field_validator("memory_limit")
    @classmethod
    def _memory_within(cls, limit: str | None, info: ValidationInfo) -> str | None:
        request = info.data.get("memory")
        within = not (limit and request) or memory_bytes(limit) >= memory_bytes(request)
        return _require(limit, within, "must be at least memory")

    @field_validator("indexed")
    @classmethod
    def _indexed_completions(cls, indexed: bool, info: ValidationInfo) -> bool:
        has_number = not indexed or bool(info.data.get("completions"))
        return _require(indexed, has_number, 'requires completions, the number of indexes, such as "completions": 8')

    @field_validator("nodes")
    @classmethod
    def _exclusive_nodes(cls, nodes: int | None, info: ValidationInfo) -> int | None:
        fields = info.data
        alone = not (fields.get("completions") or fields.get("indexed")) and fields.get("parallelism", 1) == 1
        _require(nodes, nodes is None or alone, "sets the number of pods; remove parallelism, completions and indexed")
        no_conflict = nodes is None or not fields.get("environment", {}).keys() & RENDEZVOUS_VARIABLES
        return _require(nodes, no_conflict, f"sets {', '.join(RENDEZVOUS_VARIABLES)}; remove them from environment")

    @field_validator("backoff_limit_per_index")
    @classmethod
    def _indexed_retries(cls, limit: int | None, info: ValidationInfo) -> int | None:
        return _require(limit, limit is None or info.data.get("indexed") is True, 'requires "indexed": true')

    @field_validator("max_failed_indexes")
    @classmethod
    def _failed_indexes_within(cls, limit: int | None, info: ValidationInfo) -> int | None:
        per_index = info.data.get("backoff_limit_per_index") is not None
        _require(limit, limit is None or per_index, 'requires backoffLimitPerIndex, such as "backoffLimitPerIndex": 1')
        within = limit is None or limit <= (info.data.get("completions") or 0)
        return _require(limit, within, "must be at most completions")

    @field_validator("pvc")
    @classmethod
    def _mounts(cls, claims: list[Claim], info: ValidationInfo) -> list[Claim]:
        paths = [claim.path.rstrip("/") for claim in claims] + [SHARED_MEMORY] * bool(info.data.get("large_shm"))
        _require(claims, len(set(paths)) == len(paths), "must not have the same path twice")
        sized = all(claim.size or not claim.storage_class for claim in claims)
        _require(claims, sized, "must have size if storageClass is set")
        one_kind = all((claim.name is None) != (claim.size is None) for claim in claims)
        return _require(claims, one_kind, "must each have either name (a claim) or size (an ephemeral volume)")


def parse_submission(document: object) -> Submission:
    """Parse *document*, `{"job": {...}}` or the bare Job; raise InvalidJob with one error for each field."""
    wrapped, job = False, document
    if isinstance(document, dict) and document.keys() == {"job"}:
        wrapped, job = True, document["job"]
    try:
        return Submission.model_validate(job)
    except ValidationError as error:
        from chalicelib.domain.submission import refusal  # noqa: PLC0415 - only a refused submission needs it

        raise InvalidJob.at(*refusal.refused_fields(job, error, "/job" * wrapped)) from None


def _require(value: Value, condition: bool, message: str) -> Value:
    if not condition:
        raise ValueError(message)
    return value
