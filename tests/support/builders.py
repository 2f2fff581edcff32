"""Builders of minimal objects: each takes the fields that matter to a test, and fills in the rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from chalicelib.domain.caller import Caller
from chalicelib.domain.kubernetes.events import Event, InvolvedObject
from chalicelib.domain.kubernetes.jobs import (
    GPU,
    Condition,
    Container,
    Job,
    JobSpec,
    JobStatus,
    Namespace,
    ObjectMeta,
    OwnerReference,
    PodSpec,
    PodTemplate,
    ResourceRequirements,
)
from chalicelib.domain.kubernetes.pods import (
    ContainerState,
    ContainerStatus,
    Pod,
    PodStatus,
    Running,
    Terminated,
    Waiting,
)
from chalicelib.domain.labels import MANAGED_BY_LABEL, MANAGED_BY_VALUE, PROJECT_LABEL
from chalicelib.domain.names import JobName, ProjectName, namespace_of
from chalicelib.domain.submission.idempotency import JobIdentity
from chalicelib.domain.submission.model import parse_submission
from chalicelib.domain.token_issuer import TokenIssuer
from chalicelib.domain.uploads.s3_event import Upload
from chalicelib.settings import Settings
from tests.support.configuration import configuration_file

if TYPE_CHECKING:
    from chalicelib.domain.submission.model import Submission

TEAM_A = ProjectName("team-a")
TRAIN_1 = JobName("train-1")
ALICE = Caller("alice", ("team-a",))
BOB = Caller("bob", ("team-a",))
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
NOW_MS = 1795514400000
"""NOW in milliseconds since 1970."""


def document(**fields: object) -> dict[str, object]:
    """Return the JSON of a submission: the required fields, and *fields*."""
    return {"project": "team-a", "image": "busybox", **fields}


def submission(**fields: object) -> Submission:
    """Return the Submission of `document(**fields)`."""
    return parse_submission(document(**fields))


def deployment(**fields: Any) -> Settings:  # noqa: ANN401 - any setting
    """Return the settings of a deployment; its URLs refer to a port that nothing listens on."""
    required = {
        "cluster_name": "gpu-a",
        "cluster_endpoint": "http://127.0.0.1:1",
        "configuration_file": configuration_file(),
        "cluster_role_arn": "arn:aws:iam::123456789012:role/researcher-api",
        "cluster_external_id": "x1",
        "uploads_bucket": "researcher-uploads",
        "aws_region": "eu-west-1",
    }
    return Settings(**{**required, **fields})


def token_issuer(issuer: str, **fields: Any) -> TokenIssuer:  # noqa: ANN401 - any field
    """Return the configuration of an issuer, as that of the local cloud."""
    return TokenIssuer(**{"issuer": issuer, "audiences": ("researcher",), **fields})


def identity(name: str = "train-1", request_hash: str = "asked", key_hash: str | None = None) -> JobIdentity:
    """Return a JobIdentity with readable hashes."""
    return JobIdentity(name, request_hash, key_hash)


def minutes_ago(minutes: float) -> datetime:
    """Return the time *minutes* before NOW."""
    return NOW - timedelta(minutes=minutes)


def meta(name: str = "train-1", **fields: Any) -> ObjectMeta:  # noqa: ANN401 - any field
    """Return the metadata of an object that was created at NOW; its uid is derived from its name."""
    return ObjectMeta(**{"name": name, "uid": f"uid-of-{name}", "creation_timestamp": NOW, **fields})


def project_namespace(project: ProjectName = TEAM_A, **annotations: str) -> Namespace:
    """Return the namespace of *project*."""
    labels = {PROJECT_LABEL: project}
    return Namespace(metadata=meta(namespace_of(project), labels=labels, annotations=annotations))


def container(image: str = "busybox", gpus: str | float = 0) -> Container:
    """Return a container with a limit of *gpus*."""
    return Container(image=image, resources=ResourceRequirements(limits={GPU: gpus}))


def template(*containers: Container) -> PodTemplate:
    """Return a pod template with *containers*."""
    return PodTemplate(spec=PodSpec(containers=list(containers)))


def job(
    name: str = "train-1",
    *,
    spec: JobSpec | None = None,
    status: JobStatus | None = None,
    **identity: Any,  # noqa: ANN401 - any field
) -> Job:
    """Return a Job; *identity* goes to its metadata."""
    return Job(metadata=meta(name, **identity), spec=spec or JobSpec(), status=status or JobStatus())


def ended(kind: str, reason: str | None = None, message: str | None = None) -> JobStatus:
    """Return the status of a Job that has ended; *kind* is Complete or Failed."""
    end = Condition(type=kind, status="True", reason=reason, message=message, last_transition_time=NOW)
    return JobStatus(start_time=minutes_ago(5), conditions=[end])


def finished(
    kind: str = "Complete",
    *,
    at: datetime = NOW,
    **fields: Any,  # noqa: ANN401 - any field
) -> Job:
    """Return a Job that this API created and that ended *at* that time; *kind* is Complete or Failed."""
    end = Condition(type=kind, status="True", last_transition_time=at)
    completed = at if kind == "Complete" else None
    status = JobStatus(start_time=at - timedelta(minutes=5), completion_time=completed, conditions=[end])
    return job(**{"labels": {MANAGED_BY_LABEL: MANAGED_BY_VALUE}, "status": status, **fields})


def pod(
    phase: str | None = "Running",
    *,
    owner: str = "uid-of-train-1",
    node: str | None = None,
    status: PodStatus | None = None,
    containers: list[Container] | None = None,
    **identity: Any,  # noqa: ANN401 - any field
) -> Pod:
    """Return a pod in *phase*; *owner* is the uid of its Job, *identity* goes to its metadata."""
    named = meta(**{"name": "train-1-abcde", "owner_references": [OwnerReference(uid=owner)], **identity})
    state = status or PodStatus()
    state.phase = phase
    return Pod(metadata=named, spec=PodSpec(node_name=node, containers=containers or []), status=state)


def waiting(reason: str | None, message: str | None = None) -> PodStatus:
    """Return the status of a pod whose container waits."""
    state = ContainerState(waiting=Waiting(reason=reason, message=message))
    return PodStatus(container_statuses=[ContainerStatus(name="main", state=state)])


def unscheduled(reason: str | None = "Unschedulable", message: str | None = "0/3 nodes: no GPU") -> PodStatus:
    """Return the status of a pod that the scheduler cannot place."""
    condition = Condition(type="PodScheduled", status="False", reason=reason, message=message)
    return PodStatus(conditions=[condition])


def disrupted(reason: str, status: str = "True") -> PodStatus:
    """Return the status of a pod with the condition DisruptionTarget."""
    condition = Condition(
        type="DisruptionTarget", status=status, reason=reason, message="why", last_transition_time=NOW
    )
    return PodStatus(conditions=[condition])


def exited(code: int | None, reason: str | None = "Error", at: datetime | None = None) -> PodStatus:
    """Return the status of a pod whose container exited with *code*, *at* that time."""
    end = Terminated(exit_code=code, reason=reason, finished_at=at)
    return PodStatus(container_statuses=[ContainerStatus(name="main", state=ContainerState(terminated=end))])


def upload(**fields: Any) -> Upload:  # noqa: ANN401 - any field
    """Return an upload to team-a whose key ends in .json."""
    defaults = {
        "bucket": "researcher-uploads",
        "project": TEAM_A,
        "key": "submit/team-a/sweep.json",
        "version": "v1",
        "sequencer": "0055AED6DCD90281E5",
        "etag": '"d41d8cd98f00b204e9800998ecf8427e"',
        "size": 100,
        "uploader": "AWS:AIDAEXAMPLE",
    }
    return Upload(**{**defaults, **fields})


def record(  # noqa: PLR0913 - keyword arguments, one for each part of the record
    key: str = "submit/team-a/sweep.json",
    *,
    written: str | None = None,
    bucket: str = "researcher-uploads",
    version: str | None = "v1",
    sequencer: str = "0055AED6DCD90281E5",
    etag: str = "d41d8cd98f00b204e9800998ecf8427e",
    size: object = 100,
    principal: str = "AWS:AIDAEXAMPLE",
    **fields: object,
) -> dict[str, Any]:
    """Return a record of an S3 ObjectCreated event; *written* is the key in its form-encoded form."""
    defaults = {
        "key": quote_plus(key) if written is None else written,
        "size": size,
        "eTag": etag,
        "sequencer": sequencer,
    }
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "eu-west-1",
        "eventTime": "2026-11-24T10:00:00.000Z",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": principal},
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            "object": defaults if version is None else {**defaults, "versionId": version},
        },
        **fields,
    }


def running(since: datetime = NOW, *, restarts: int = 0, name: str = "main") -> PodStatus:
    """Return the status of a pod whose container runs, after *restarts*."""
    before = ContainerState(terminated=Terminated(exit_code=1, reason="Error", finished_at=since)) if restarts else None
    state = ContainerState(running=Running(started_at=since))
    status = ContainerStatus(name=name, state=state, restart_count=restarts, last_state=before or ContainerState())
    return PodStatus(start_time=since, container_statuses=[status])


def event(
    reason: str = "Scheduled",
    message: str | None = "",
    *,
    about: ObjectMeta | None = None,
    kind: str = "Pod",
    **fields: Any,  # noqa: ANN401 - any field
) -> Event:
    """Return an event about the object *about*, with the times of NOW."""
    object_ = about or meta("train-1-abcde")
    involved = InvolvedObject(kind=kind, name=object_.name, uid=object_.uid)
    times = {"first_timestamp": NOW, "last_timestamp": NOW, "count": 1}
    return Event(**{"involved_object": involved, "reason": reason, "message": message, **times, **fields})
