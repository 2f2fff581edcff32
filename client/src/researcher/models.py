"""The models of the API, which `make client-models` generates from its OpenAPI document: do not edit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias, TypedDict

from researcher.decoding import Field, Model

API_VERSION = "0.1.0"
"""The version of the API that this client was made for."""


Command: TypeAlias = "list[TextValue] | str"
"""The arguments of a command, or one string that is split like in a shell."""

DiagnosisCause: TypeAlias = (
    Literal[
        "CannotStart",
        "ConfigMissing",
        "DeadlineExceeded",
        "Evicted",
        "ExitCode",
        "ImageNotFound",
        "ImageUnauthorized",
        "ImageUnavailable",
        "Incomplete",
        "NoPodsAdmission",
        "NoPodsQuota",
        "NodeLost",
        "OutOfMemory",
        "Preempted",
        "QueueRequired",
        "QueueWaiting",
        "Running",
        "Starting",
        "Succeeded",
        "Suspended",
        "Terminating",
        "Unknown",
        "UnschedulableResources",
        "UnschedulableSelector",
        "UnschedulableTaint",
        "VolumeUnavailable",
    ]
    | str
)
"""The cause of a Job's current state."""

Duration: TypeAlias = "int | str"
"""A duration: in seconds, or with one of the units s, m, h and d."""

EnvironmentValue: TypeAlias = "str | float | bool | SecretVariable"
"""The value of an environment variable: text, a number or a boolean, or a reference to a Secret's key."""

ImagePullPolicy: TypeAlias = Literal["Always", "IfNotPresent", "Never"] | str
"""When the node pulls the image."""

IndexStatus: TypeAlias = Literal["failed", "succeeded", "unfinished"] | str
"""Whether an index has succeeded or failed."""

JobInclude: TypeAlias = Literal["submission"] | str
"""What to add to a Job."""

JobOutcome: TypeAlias = Literal["Failed", "Succeeded", "Unknown"] | str
"""How a Job ended."""

JobStatus: TypeAlias = (
    Literal[
        "ContainerCreating",
        "Failed",
        "Pending",
        "Queued",
        "Running",
        "Succeeded",
        "Suspended",
        "Terminating",
        "Unknown",
    ]
    | str
)
"""The status of a Job; `reason` and `message` have the details."""

JobType: TypeAlias = Literal["Interactive", "Train"] | str
"""The type of a Job."""

LabelValue: TypeAlias = "str | float | bool"
"""The value of a label: text, or a number or a boolean, which becomes text as written."""

ListWaitTarget: TypeAlias = Literal["finished"] | str
"""What a list waits for."""

ProblemCode: TypeAlias = (
    Literal[
        "bad_gateway",
        "body_too_large",
        "cluster_unavailable",
        "credentials_unavailable",
        "deadline_exceeded",
        "event_bus_unavailable",
        "forbidden",
        "idempotency_key_reused",
        "internal_error",
        "invalid_job",
        "invalid_page_token",
        "issuer_unavailable",
        "job_being_deleted",
        "job_cleaned_up",
        "job_finished",
        "job_incomplete",
        "job_managed_by_queue",
        "job_not_finished",
        "job_not_found",
        "job_not_retriable",
        "job_not_started",
        "log_gone",
        "malformed_request",
        "method_not_allowed",
        "name_taken",
        "node_unavailable",
        "overloaded",
        "page_token_expired",
        "precondition_failed",
        "quota_exceeded",
        "refused_by_cluster",
        "route_not_found",
        "storage_unavailable",
        "submission_unknown",
        "too_many_requests",
        "unauthenticated",
        "unsupported_media_type",
        "upload_gone",
    ]
    | str
)
"""The stable code of an error."""

Shell: TypeAlias = Literal["bash", "sh"] | str
"""The shell that runs a script."""

TextValue: TypeAlias = "str | float | bool"
"""Text, or a number or a boolean, which becomes text as it is written."""

WaitTarget: TypeAlias = Literal["finished", "running"] | str
"""What to wait for."""


class Claim(TypedDict, total=False):
    """A volume: an existing PersistentVolumeClaim by `name`, or an ephemeral volume of `size`, deleted with the pod."""

    path: str
    """The directory at which it is mounted."""
    name: str | None
    """The name of a PersistentVolumeClaim."""
    size: str | None
    """The size of an ephemeral volume; at most 64Ti."""
    storageClass: str | None
    """The StorageClass of an ephemeral volume."""
    readOnly: bool
    """Mount it read-only. Default: `false`."""


class Retry(TypedDict, total=False):
    """Which pod failures are retried, within the backoff limits. Any other failure fails the Job or its index."""

    exitCodes: list[int] | None
    """Exit codes that are retried; no other exit code is."""
    ignoreDisruptions: bool
    """Replace evicted and preempted pods without counting a failure. Default: `false`."""


class SecretKey(TypedDict, total=False):
    """A key of a Secret in the Project's namespace."""

    name: str
    """The name of the Secret."""
    key: str
    """The key in the Secret."""


class SecretVariable(TypedDict, total=False):
    """A variable whose value comes from a Secret."""

    secret: SecretKey
    """The Secret's name and key."""


class Submission(TypedDict, total=False):
    """A Job to run. Field names and semantics are those of Run:ai; docs/reference/fields.md compares each field."""

    project: str
    """The Project the Job belongs to."""
    image: str
    """The container image, with tag or digest."""
    name: str | None
    """The Job's name; generated if it is missing."""
    job_name_prefix: str | None
    """The prefix of a generated name."""
    type: JobType | None
    """The type; default: Train."""
    interactive: bool | None
    """true is the same as type Interactive."""
    command: Command | None
    """Replaces the image's entry point."""
    script: str | None
    """A shell script in place of command; it ends when a command of it fails."""
    shell: Shell
    """The shell of script: /bin/bash -ec or /bin/sh -ec."""
    arguments: list[TextValue]
    """Arguments of the command or script."""
    environment: dict[str, EnvironmentValue]
    """Variables: each a value or a reference to a key of a Secret."""
    working_dir: str | None
    """The working directory of the command."""
    gpu: int
    """GPUs for each pod. Default: `0`."""
    cpu: float | None
    """CPU request of each pod, in cores."""
    cpu_limit: float | None
    """CPU limit of each pod, in cores."""
    memory: str | None
    """Memory request of each pod; at most 32Ti."""
    memory_limit: str | None
    """Memory limit of each pod; default: memory."""
    node_type: str | None
    """Instance type of the node, such as p5.48xlarge."""
    parallelism: int
    """Pods that run at the same time. Default: `1`."""
    completions: int | None
    """Pods that must succeed."""
    indexed: bool
    """Give each pod its index in JOB_COMPLETION_INDEX. Default: `false`."""
    nodes: int | None
    """Pods of a distributed Job, with a rendezvous for torchrun."""
    backoff_limit: int | None
    """Retries of the Job; 6 unless backoffLimitPerIndex is set."""
    backoff_limit_per_index: int | None
    """Retries before an index fails; the other indexes continue."""
    max_failed_indexes: int | None
    """The Job fails when more indexes than this have failed."""
    retry: Retry | None
    """Which failures are retried; default: all."""
    max_runtime_seconds: int | None
    """Maximum runtime."""
    ttl_after_finish: Duration | None
    """How long a finished Job is kept: 3600, 3h."""
    preemptible: bool
    """Allow preemption by Jobs that are not preemptible. Default: `false`."""
    queue: str | None
    """The Kueue queue the Job waits in."""
    large_shm: bool
    """Mount memory at /dev/shm; counts as memory of the pod. Default: `false`."""
    pvc: list[Claim]
    """Volumes."""
    image_pull_policy: ImagePullPolicy | None
    """When the node pulls the image."""
    run_as_uid: int
    """User ID; root is not allowed. Default: `1000`."""
    run_as_gid: int
    """Group ID, also of the volumes. Default: `1000`."""
    prevent_privilege_escalation: bool
    """Always true. Default: `true`."""
    stdin: bool
    """Keep the container's standard input open. Default: `false`."""
    tty: bool
    """Allocate a terminal for the container. Default: `false`."""
    labels: dict[str, LabelValue]
    """Labels of the Job, for filtering."""
    annotations: dict[str, TextValue]
    """Annotations of the Job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllJobsPage(Model):
    """A page of the Jobs of several Projects. `nextPageToken` is null on the last page."""

    NESTED: ClassVar[dict[str, str]] = {"data": "JobView", "failed": "ProjectFailure"}
    data: list[JobView]
    """The Jobs, sorted by Project and name."""
    next_page_token: str | None = None
    """The `pageToken` of the next page, or null."""
    failed: list[ProjectFailure]
    """The Projects that could not be read: their Jobs are missing from this page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion(Model):
    """The result of one deletion: `ok`, or the `error` why the Job was not deleted."""

    NESTED: ClassVar[dict[str, str]] = {"error": "Problem"}
    name: str
    """The name of the Job."""
    project: str
    """The Project of the Job."""
    ok: bool
    """Whether the Job is being deleted."""
    error: Problem | None = None
    """Why it was not deleted; null if it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletions(Model):
    """The result of each deletion, in the order of the request."""

    NESTED: ClassVar[dict[str, str]] = {"data": "Deletion"}
    data: list[Deletion]
    """The results, in the order of the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis(Model):
    """The cause of a Job's current state. `since` is in milliseconds since 1970, or null if it is not known."""

    NESTED: ClassVar[dict[str, str]] = {"evidence": "Evidence"}
    project: str
    """The Project of the Job."""
    name: str
    """The name of the Job."""
    cause: DiagnosisCause
    """The cause."""
    evidence: Evidence
    """What shows the cause."""
    remedy: str
    """What to do, in one sentence."""
    since: int | None = None
    """When this state began."""
    exit_code: int | None = None
    """The exit code of the container that decided its end, or null if it is not known."""
    failed_pod: str | None = None
    """The pod that decided its failure, or null."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage(Model):
    """The events of a Job and its pods, sorted by `lastSeen`."""

    NESTED: ClassVar[dict[str, str]] = {"data": "EventView"}
    data: list[EventView]
    """The events, the latest last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView(Model):
    """An event about an object, how often it occurred, and when first and last, in milliseconds since 1970."""

    NESTED: ClassVar[dict[str, str]] = {"object": "ObjectName"}
    first_seen: int
    """When it occurred first."""
    last_seen: int
    """When it occurred last."""
    count: int
    """How often it occurred."""
    type: str
    """`Normal` or `Warning`."""
    reason: str
    """The reason, in one word."""
    object: ObjectName
    """The object that it is about."""
    message: str
    """The message of the component that reported it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence(Model):
    """The evidence for a diagnosis: an object, the field that shows the cause, and its message."""

    NESTED: ClassVar[dict[str, str]] = {"object": "ObjectName"}
    object: ObjectName
    """The Job or one of its pods."""
    field: str
    """The field of the object that shows the cause."""
    message: str
    """The message of the cluster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError(Model):
    """An invalid field of a request: a JSON pointer (RFC 6901) to it, and what is wrong with it."""

    NESTED: ClassVar[dict[str, str]] = {}
    pointer: str
    """A JSON pointer (RFC 6901) to the field or parameter."""
    message: str
    """What is wrong with the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuUse(Model):
    """GPUs: the limit of the tightest quota (null: no quota), requests of unfinished Jobs, GPUs of running pods."""

    NESTED: ClassVar[dict[str, str]] = {}
    quota: int | None = None
    """The limit of the tightest quota, or null."""
    requested: int
    """GPUs that unfinished Jobs request."""
    allocated: int
    """GPUs of running pods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health(Model):
    """The API's version, the cluster's name and, with `deep=true`, what the cluster says to the caller."""

    NESTED: ClassVar[dict[str, str]] = {}
    version: str
    """The version of the API."""
    cluster: str
    """The name of the cluster."""
    kubernetes: str | None = None
    """Its Kubernetes version; null without `deep=true`."""
    groups: list[str] | None = None
    """The groups of the token that have access to a Project of this cluster; null without `deep=true`. If it is empty, no Project has been given to any of your groups: ask your platform engineers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPage(Model):
    """A page of indexes. `nextPageToken` is null on the last page."""

    NESTED: ClassVar[dict[str, str]] = {"data": "IndexView"}
    data: list[IndexView]
    """The indexes in ascending order."""
    next_page_token: str | None = None
    """The `pageToken` of the next page, or null."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexView(Model):
    """An index and its last attempt. Times are in milliseconds since 1970; null is what the cluster does not know."""

    NESTED: ClassVar[dict[str, str]] = {}
    index: int
    """The completion index."""
    status: IndexStatus
    """Whether it has succeeded or failed."""
    attempts: int | None = None
    """The number of its pods until now."""
    exit_code: int | None = None
    """The exit code of its last pod."""
    reason: str | None = None
    """Why its last pod failed or waits, in one word."""
    pod: str | None = None
    """Its last pod."""
    node: str | None = None
    """The node of its last pod."""
    started_at: int | None = None
    """When its last pod started."""
    finished_at: int | None = None
    """When its last pod succeeded or failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCounts(Model):
    """How many unfinished Jobs are running, pending (also queued, or creating their container) or suspended."""

    NESTED: ClassVar[dict[str, str]] = {}
    running: int
    """Jobs that are running."""
    pending: int
    """Jobs that are pending, queued or creating a container."""
    suspended: int
    """Suspended Jobs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage(Model):
    """A page of Jobs, sorted by name. `nextPageToken` is null on the last page."""

    NESTED: ClassVar[dict[str, str]] = {"data": "JobView"}
    data: list[JobView]
    """The Jobs, sorted by name."""
    next_page_token: str | None = None
    """The `pageToken` of the next page, or null."""
    unfinished: int | None = None
    """Only with `until`: how many Jobs have not finished, on all pages; 0 ends the wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView(Model):
    """A Job. Times are in milliseconds since 1970, or null if the event has not happened yet."""

    NESTED: ClassVar[dict[str, str]] = {"pods": "PodCounts"}
    id: str
    """The UID of the Kubernetes Job."""
    project: str
    """The Project of the Job."""
    name: str
    """The name, unique in the Project."""
    status: JobStatus
    """The status."""
    type: JobType
    """The type."""
    nodes: list[str]
    """The nodes of its running pods."""
    created_at: int
    """When it was created."""
    images: str
    """The images of its containers, separated by commas."""
    user: str
    """The subject that submitted it."""
    current_allocated_gpus: int
    """GPUs of its running pods."""
    requested_gpus: int
    """GPUs of the pods that run at once."""
    reason: str | None = None
    """Why it is in this status, in one word, or null."""
    message: str | None = None
    """The details of `reason`."""
    exit_code: int | None = None
    """The exit code of the container that decided its end, or null if it is not known."""
    failed_pod: str | None = None
    """The pod that decided its failure, or null."""
    started_at: int | None = None
    """When a pod first ran, since the Job was last resumed; null if that is unknown, as for a Job in a list in the first minute after its end."""
    queued_seconds: int | None = None
    """Seconds from `createdAt`, or from when you resumed it, to `startedAt`; null if that is."""
    finished_at: int | None = None
    """When it succeeded or failed."""
    pods: PodCounts
    """The number of its pods in each state."""
    completed_indexes: str | None = None
    """Indexes that succeeded, such as `1,3-5,7`; a long list ends with `,...`."""
    failed_indexes: str | None = None
    """Indexes that failed, such as `1,3-5,7`; a long list ends with `,...`."""
    keep: bool
    """Whether the Job is exempt from cleanup."""
    labels: dict[str, str]
    """The labels that its user set."""
    links: dict[str, str]
    """Paths below the API's base URL."""
    submission: dict[str, Any] | None = None
    """Only with `include=submission`: the request that created the Job, or null if that was not this API. Values of variables and words of the command are `***` unless you may create Jobs here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingDeletions(Model):
    """The result of each deletion, and what was not deleted."""

    NESTED: ClassVar[dict[str, str]] = {"data": "Deletion"}
    data: list[Deletion]
    """The results, sorted by name."""
    kept: list[str]
    """The names of matching Jobs that are kept, and not deleted; at most 100."""
    more: bool
    """Whether more Jobs match: repeat the request to delete them."""
    dry_run: bool
    """Whether nothing was deleted: `ok` says what would be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Me(Model):
    """The caller, according to the token."""

    NESTED: ClassVar[dict[str, str]] = {"projects": "ProjectView"}
    subject: str
    """The subject of your token: `user` of the Jobs that you submit."""
    groups: list[str]
    """The groups in your token, which decide what you may do; sorted."""
    projects: list[ProjectView]
    """Your Projects, sorted by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectName(Model):
    """An object of the Project, such as the Job itself or one of its pods."""

    NESTED: ClassVar[dict[str, str]] = {}
    kind: str
    """The kind of the object."""
    name: str
    """The name of the object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodCounts(Model):
    """The number of pods of a Job in each state."""

    NESTED: ClassVar[dict[str, str]] = {}
    active: int
    """Pods that have not finished."""
    ready: int
    """Active pods that are ready."""
    succeeded: int
    """Pods that succeeded."""
    failed: int
    """Pods that failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem(Model):
    """An error response: problem details (RFC 9457) with a stable `code`; only job_cleaned_up has a `receipt`."""

    NESTED: ClassVar[dict[str, str]] = {"errors": "FieldError", "receipt": "Receipt"}
    type: str
    """The URL of the code in the documentation page of this API; a URN where the page is not known, as in errors of API Gateway itself."""
    title: str
    """The title of the code."""
    status: int
    """The HTTP status."""
    detail: str
    """What is wrong and what to do, for people."""
    code: ProblemCode
    """The stable code, for programs."""
    instance: str | None = None
    """The URN of the request."""
    errors: list[FieldError] | None = None
    """The invalid fields of the request."""
    receipt: Receipt | None = None
    """The Receipt of a Job that was cleaned up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectDetail(Model):
    """A Project; `verbs` are the Kubernetes verbs that the caller may use on its Jobs."""

    NESTED: ClassVar[dict[str, str]] = {"gpus": "GpuUse", "jobs": "JobCounts", "quotas": "QuotaView"}
    name: str
    """The name of the Project."""
    namespace: str
    """Its namespace in the cluster."""
    created_at: int
    """When it was created."""
    verbs: list[str]
    """The Kubernetes verbs that you may use on its Jobs."""
    gpus: GpuUse
    """Its GPUs."""
    jobs: JobCounts
    """The number of its unfinished Jobs."""
    quotas: list[QuotaView]
    """Its ResourceQuotas."""
    complete: bool
    """False if there are more Jobs or pods than were counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFailure(Model):
    """A Project whose Jobs are not in the page."""

    NESTED: ClassVar[dict[str, str]] = {"error": "Problem"}
    project: str
    """The name of the Project."""
    error: Problem
    """Why its Jobs could not be listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectList(Model):
    """The Projects, sorted by name."""

    NESTED: ClassVar[dict[str, str]] = {"data": "ProjectView"}
    data: list[ProjectView]
    """The Projects, sorted by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectView(Model):
    """A Project that the caller may use. `createdAt` is in milliseconds since 1970."""

    NESTED: ClassVar[dict[str, str]] = {}
    name: str
    """The name of the Project."""
    namespace: str
    """Its namespace in the cluster."""
    created_at: int
    """When it was created."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaView(Model):
    """A ResourceQuota: for each resource the limit and the usage, as Kubernetes quantities."""

    NESTED: ClassVar[dict[str, str]] = {}
    name: str
    """The name of the ResourceQuota."""
    hard: dict[str, str]
    """The limit of each resource."""
    used: dict[str, str]
    """The usage of each resource."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(Model):
    """The record of a deleted Job. Times are in milliseconds since 1970, or null if they are not known."""

    NESTED: ClassVar[dict[str, str]] = {}
    id: str
    """The UID of the Kubernetes Job."""
    project: str
    """The Project of the Job."""
    name: str
    """The name of the Job."""
    user: str
    """The subject that submitted it."""
    outcome: JobOutcome
    """How it ended."""
    reason: str | None = None
    """Why it failed, in one word."""
    message: str | None = None
    """The details of `reason`."""
    exit_code: int | None = None
    """The exit code of the container that decided its end, or null if it is not known."""
    failed_pod: str | None = None
    """The pod that decided its failure, or null."""
    attempts: int
    """Pods that succeeded or failed."""
    nodes: list[str]
    """The nodes of its pods."""
    image_digests: list[str]
    """The images of its pods, with their digests."""
    created_at: int
    """When it was created."""
    started_at: int | None = None
    """When a pod first ran or, if that is unknown, when the cluster started the Job."""
    finished_at: int | None = None
    """When it succeeded or failed."""
    gpu_seconds: float | None = None
    """GPUs times seconds of its pods."""
    gpu_seconds_is_lower_bound: bool
    """Whether the Job may have used more, because not all of its pods are known."""
    submission: dict[str, Any] | None = None
    """Values of variables and arguments of the command are `***`."""
    spec: dict[str, Any] | None = None
    """Values of variables and arguments of the command are `***`."""
    log: str | None = None
    """The log tail of one pod."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInDocument(Model):
    """How people sign in."""

    NESTED: ClassVar[dict[str, str]] = {"data": "SignInIssuer"}
    data: list[SignInIssuer]
    """The issuers with which people sign in; empty if only Applications have tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInIssuer(Model):
    """A token issuer with a public client."""

    NESTED: ClassVar[dict[str, str]] = {}
    issuer: str
    """The OpenID Connect issuer; its discovery document has the URLs of all endpoints."""
    client_id: str
    """The client ID for the authorization code flow with PKCE. The client has no secret."""
    scopes: list[str]
    """The scopes to request."""
    redirect_uris: list[str]
    """The redirect URIs to choose from. If there are none, use any port of `http://127.0.0.1`."""
    device_flow: bool
    """Whether the client may use the device authorization grant (RFC 8628)."""


FIELDS: dict[str, Field] = {
    "project": Field("project", "str", "The Project the Job belongs to.", ()),
    "image": Field("image", "str", "The container image, with tag or digest.", ()),
    "name": Field("name", "str", "The Job's name; generated if it is missing.", ()),
    "job_name_prefix": Field("jobNamePrefix", "str", "The prefix of a generated name.", ()),
    "type": Field("type", "JobType", "The type; default: Train.", ("Interactive", "Train")),
    "interactive": Field("interactive", "bool", "true is the same as type Interactive.", ()),
    "command": Field("command", "Command", "Replaces the image's entry point.", ()),
    "script": Field("script", "str", "A shell script in place of command; it ends when a command of it fails.", ()),
    "shell": Field("shell", "Shell", "The shell of script: /bin/bash -ec or /bin/sh -ec.", ("bash", "sh")),
    "arguments": Field("arguments", "list[TextValue]", "Arguments of the command or script.", ()),
    "environment": Field(
        "environment", "dict[str, EnvironmentValue]", "Variables: each a value or a reference to a key of a Secret.", ()
    ),
    "working_dir": Field("workingDir", "str", "The working directory of the command.", ()),
    "gpu": Field("gpu", "int", "GPUs for each pod. Default: `0`.", ()),
    "cpu": Field("cpu", "float", "CPU request of each pod, in cores.", ()),
    "cpu_limit": Field("cpuLimit", "float", "CPU limit of each pod, in cores.", ()),
    "memory": Field("memory", "str", "Memory request of each pod; at most 32Ti.", ()),
    "memory_limit": Field("memoryLimit", "str", "Memory limit of each pod; default: memory.", ()),
    "node_type": Field("nodeType", "str", "Instance type of the node, such as p5.48xlarge.", ()),
    "parallelism": Field("parallelism", "int", "Pods that run at the same time. Default: `1`.", ()),
    "completions": Field("completions", "int", "Pods that must succeed.", ()),
    "indexed": Field("indexed", "bool", "Give each pod its index in JOB_COMPLETION_INDEX. Default: `false`.", ()),
    "nodes": Field("nodes", "int", "Pods of a distributed Job, with a rendezvous for torchrun.", ()),
    "backoff_limit": Field("backoffLimit", "int", "Retries of the Job; 6 unless backoffLimitPerIndex is set.", ()),
    "backoff_limit_per_index": Field(
        "backoffLimitPerIndex", "int", "Retries before an index fails; the other indexes continue.", ()
    ),
    "max_failed_indexes": Field(
        "maxFailedIndexes", "int", "The Job fails when more indexes than this have failed.", ()
    ),
    "retry": Field("retry", "Retry", "Which failures are retried; default: all.", ()),
    "max_runtime_seconds": Field("maxRuntimeSeconds", "int", "Maximum runtime.", ()),
    "ttl_after_finish": Field("ttlAfterFinish", "Duration", "How long a finished Job is kept: 3600, 3h.", ()),
    "preemptible": Field(
        "preemptible", "bool", "Allow preemption by Jobs that are not preemptible. Default: `false`.", ()
    ),
    "queue": Field("queue", "str", "The Kueue queue the Job waits in.", ()),
    "large_shm": Field(
        "largeShm", "bool", "Mount memory at /dev/shm; counts as memory of the pod. Default: `false`.", ()
    ),
    "pvc": Field("pvc", "list[Claim]", "Volumes.", ()),
    "image_pull_policy": Field(
        "imagePullPolicy", "ImagePullPolicy", "When the node pulls the image.", ("Always", "IfNotPresent", "Never")
    ),
    "run_as_uid": Field("runAsUid", "int", "User ID; root is not allowed. Default: `1000`.", ()),
    "run_as_gid": Field("runAsGid", "int", "Group ID, also of the volumes. Default: `1000`.", ()),
    "prevent_privilege_escalation": Field("preventPrivilegeEscalation", "bool", "Always true. Default: `true`.", ()),
    "stdin": Field("stdin", "bool", "Keep the container's standard input open. Default: `false`.", ()),
    "tty": Field("tty", "bool", "Allocate a terminal for the container. Default: `false`.", ()),
    "labels": Field("labels", "dict[str, LabelValue]", "Labels of the Job, for filtering.", ()),
    "annotations": Field("annotations", "dict[str, TextValue]", "Annotations of the Job.", ()),
}
"""The members of a submission, by the argument of `submit`."""
