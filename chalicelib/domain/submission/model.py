"""What is asked: a Job in Run:ai's vocabulary, parsed from hostile JSON into checked types."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from pydantic import Field, ValidationError, ValidationInfo, field_validator

from chalicelib.domain.errors import InvalidJob
from chalicelib.domain.kubernetes.quantities import MAX_SECONDS, memory_bytes
from chalicelib.domain.parsing import validation_messages
from chalicelib.domain.submission.fields import (
    AbsolutePath,
    Claim,
    Cores,
    DnsLabel,
    Duration,
    Gpus,
    Image,
    JobNamePrefix,
    Key,
    LabelValue,
    Memory,
    NewJobName,
    NodeType,
    Project,
    Retry,
    Strict,
    Text,
    TextList,
    Variable,
    VariableName,
    Words,
)
from chalicelib.domain.submission.reserved_variables import RENDEZVOUS_VARIABLES
from chalicelib.domain.submission.unsupported_fields import UNSUPPORTED_FIELDS

Value = TypeVar("Value")

MAX_ERRORS = 20
SHARED_MEMORY = "/dev/shm"  # nosec B108 # noqa: S108 - a mount path in the container, not a file of ours


class Submission(Strict):
    """A Job to run. Field names and meanings are Run:ai's; docs/reference/fields.md lists them."""

    project: Annotated[Project, Field(description="The Project the Job belongs to.")]
    image: Annotated[Image, Field(description="The container image, with tag or digest.")]
    name: Annotated[NewJobName | None, Field(description="The Job's name; one is made when it is missing.")] = None
    job_name_prefix: Annotated[JobNamePrefix | None, Field(description="How a made name begins.")] = None
    type: Annotated[Literal["Train", "Interactive"] | None, Field(description="Default: Train.")] = None
    interactive: Annotated[bool | None, Field(description="true means type Interactive.")] = None
    command: Annotated[Words | None, Field(description="Replaces the image's entry point.")] = None
    arguments: Annotated[TextList, Field(description="Arguments of the command.")] = []
    environment: Annotated[
        dict[VariableName, Variable],
        Field(max_length=128, description="Variables: a value, or a reference to a Secret's key."),
    ] = {}
    working_dir: Annotated[AbsolutePath | None, Field(description="Where the command starts.")] = None
    gpu: Annotated[Gpus, Field(description="GPUs of each pod.")] = 0
    cpu: Annotated[Cores | None, Field(description="Cores each pod is given at least.")] = None
    cpu_limit: Annotated[Cores | None, Field(description="Cores each pod gets at most.")] = None
    memory: Annotated[Memory | None, Field(description="Memory of each pod, such as 16Gi; at most 32Ti.")] = None
    memory_limit: Annotated[
        Memory | None, Field(description="Memory at which a pod is killed; memory, if not set.")
    ] = None
    node_type: Annotated[NodeType | None, Field(description="Instance type of the node, such as p5.48xlarge.")] = None
    parallelism: Annotated[int, Field(ge=1, le=1024, description="Pods that run at once.")] = 1
    completions: Annotated[int | None, Field(ge=1, le=100_000, description="Pods that must succeed.")] = None
    indexed: Annotated[bool, Field(description="Give each pod its index in JOB_COMPLETION_INDEX.")] = False
    nodes: Annotated[
        int | None, Field(ge=1, le=256, description="Pods that work together, with a rendezvous for torchrun.")
    ] = None
    backoff_limit: Annotated[
        int | None, Field(ge=0, le=100, description="Retries before the Job fails; 6, unless each index has its own.")
    ] = None
    backoff_limit_per_index: Annotated[
        int | None, Field(ge=0, le=100, description="Retries before an index fails; the others go on.")
    ] = None
    max_failed_indexes: Annotated[
        int | None, Field(ge=0, le=100_000, description="One failed index more ends the Job.")
    ] = None
    retry: Annotated[Retry | None, Field(description="Which failures are tried again; all, unless it is set.")] = None
    max_runtime_seconds: Annotated[int | None, Field(ge=1, le=MAX_SECONDS, description="Then the Job fails.")] = None
    ttl_after_finish: Annotated[Duration | None, Field(description="How long a finished Job stays: 3600, 3h.")] = None
    preemptible: Annotated[bool, Field(description="May be evicted for Jobs that are not.")] = False
    queue: Annotated[DnsLabel | None, Field(description="The Kueue queue the Job waits in.")] = None
    large_shm: Annotated[bool, Field(description="Mount memory at /dev/shm; counts as the Job's memory.")] = False
    pvc: Annotated[list[Claim], Field(max_length=16, description="Volumes.")] = []
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    run_as_uid: Annotated[int, Field(ge=1, le=2**31 - 1, description="User number; root is refused.")] = 1000
    run_as_gid: Annotated[int, Field(ge=1, le=2**31 - 1, description="Group number, also of the volumes.")] = 1000
    prevent_privilege_escalation: Annotated[Literal[True], Field(description="Always prevented.")] = True
    stdin: bool = False
    tty: bool = False
    labels: Annotated[dict[Key, LabelValue], Field(max_length=32, description="Marks on the Job to filter by.")] = {}
    annotations: Annotated[dict[Key, Text], Field(max_length=32, description="Notes on the Job.")] = {}

    @property
    def job_type(self) -> str:
        """`Train` or `Interactive`, whichever way it was asked."""
        return "Interactive" if self.interactive or self.type == "Interactive" else "Train"

    @property
    def most_memory(self) -> str | None:
        """At how much memory a pod is killed; None where the Project's default says it."""
        return self.memory_limit or self.memory

    @property
    def as_asked(self) -> bytes:
        """The submission in JSON, without defaults; in its own order, as a variable may refer to those before it."""
        return msgspec.json.encode(self._given)

    @property
    def identity(self) -> bytes:
        """The submission in canonical JSON: neither the order of keys nor a field of a later version changes it."""
        return msgspec.json.encode(self._given, order="deterministic")

    @property
    def _given(self) -> dict[str, Any]:
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    @field_validator("job_name_prefix")
    @classmethod
    def _one_name(cls, prefix: str | None, info: ValidationInfo) -> str | None:
        return _agree(prefix, not (prefix and info.data.get("name")), "set name or jobNamePrefix, not both")

    @field_validator("interactive")
    @classmethod
    def _one_type(cls, interactive: bool | None, info: ValidationInfo) -> bool | None:
        agree = interactive is None or info.data.get("type") in (
            None,
            "Interactive" if interactive else "Train",
        )
        return _agree(interactive, agree, "contradicts type")

    @field_validator("cpu_limit")
    @classmethod
    def _cpu_within(cls, limit: float | None, info: ValidationInfo) -> float | None:
        return _agree(limit, not limit or limit >= (info.data.get("cpu") or 0), "must be at least cpu")

    @field_validator("memory_limit")
    @classmethod
    def _memory_within(cls, limit: str | None, info: ValidationInfo) -> str | None:
        asked = info.data.get("memory")
        within = not (limit and asked) or memory_bytes(limit) >= memory_bytes(asked)
        return _agree(limit, within, "must be at least memory")

    @field_validator("indexed")
    @classmethod
    def _indices(cls, indexed: bool, info: ValidationInfo) -> bool:
        return _agree(indexed, not indexed or bool(info.data.get("completions")), "needs completions")

    @field_validator("nodes")
    @classmethod
    def _ranks(cls, nodes: int | None, info: ValidationInfo) -> int | None:
        given = info.data
        alone = not (given.get("completions") or given.get("indexed")) and given.get("parallelism", 1) == 1
        _agree(nodes, nodes is None or alone, "says how many pods; leave out parallelism, completions and indexed")
        ours = nodes is None or not given.get("environment", {}).keys() & RENDEZVOUS_VARIABLES
        return _agree(nodes, ours, f"sets {', '.join(RENDEZVOUS_VARIABLES)}; leave them out of environment")

    @field_validator("backoff_limit_per_index")
    @classmethod
    def _retries_of_indexes(cls, limit: int | None, info: ValidationInfo) -> int | None:
        return _agree(limit, limit is None or info.data.get("indexed") is True, "needs indexed")

    @field_validator("max_failed_indexes")
    @classmethod
    def _failed_indexes(cls, most: int | None, info: ValidationInfo) -> int | None:
        given = info.data
        _agree(most, most is None or given.get("backoff_limit_per_index") is not None, "needs backoffLimitPerIndex")
        return _agree(most, most is None or most <= (given.get("completions") or 0), "must be at most completions")

    @field_validator("pvc")
    @classmethod
    def _mounts(cls, claims: list[Claim], info: ValidationInfo) -> list[Claim]:
        paths = [claim.path.rstrip("/") for claim in claims] + [SHARED_MEMORY] * bool(info.data.get("large_shm"))
        _agree(claims, len(set(paths)) == len(paths), "two volumes share a path")
        _agree(claims, all(claim.size or not claim.storage_class for claim in claims), "storageClass needs size")
        whole = all((claim.name is None) != (claim.size is None) for claim in claims)
        return _agree(claims, whole, "a volume has the name of a claim, or a size for a scratch one")


def parse_submission(document: object) -> Submission:
    """The Submission in *document*, `{"job": {...}}` or the bare Job; InvalidJob names every refused field."""
    wrapped, job = False, document
    if isinstance(document, dict) and document.keys() == {"job"}:
        wrapped, job = True, document["job"]
    try:
        return Submission.model_validate(job)
    except ValidationError as error:
        # Its text holds input, which may be a secret: only places and rules are passed on.
        found = error.errors(include_url=False, include_input=False)[:MAX_ERRORS]
        fields = validation_messages.field_errors(job, found, UNSUPPORTED_FIELDS, "/job" * wrapped)
        raise InvalidJob.at(*fields) from None


def _agree(value: Value, agrees: bool, message: str) -> Value:
    if not agrees:
        raise ValueError(message)
    return value
