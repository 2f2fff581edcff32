"""Render a Submission as a batch/v1 Job, for submissions by HTTP and by S3 alike.

No field of a submission can weaken the security context: every pod drops all capabilities, cannot escalate privileges,
runs as a non-root user with the runtime's default seccomp profile, and has neither a service account token nor service
environment variables. This is the restricted profile of
https://kubernetes.io/docs/concepts/security/pod-security-standards/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.kubernetes.jobs import GPU, NODE_TYPE, QUEUE_LABEL, TTL_MARGIN_SECONDS, Manifest, without_none
from chalicelib.domain.kubernetes.quantities import MAX_SECONDS, kubernetes_cpu, kubernetes_memory, seconds
from chalicelib.domain.labels import (
    JOB_TYPE_LABEL,
    KEY_HASH_ANNOTATION,
    KEY_LABEL,
    MANAGED_BY_LABEL,
    MANAGED_BY_VALUE,
    PROJECT_LABEL,
    REQUEST_HASH_ANNOTATION,
    RETENTION_ANNOTATION,
    SUBMISSION_ANNOTATION,
    UPLOADED_BY_ANNOTATION,
    USER_ANNOTATION,
    USER_LABEL,
)
from chalicelib.domain.manifest.multi_node import rendezvous_env
from chalicelib.domain.manifest.pod_policy import CONTAINER, pod_counts
from chalicelib.domain.manifest.volumes import mounts, volumes
from chalicelib.domain.names import namespace_of, project_name
from chalicelib.domain.submission.device_variables import NO_DEVICES
from chalicelib.domain.submission.fields import SecretVariable
from chalicelib.domain.submission.script import shell_arguments, shell_command

if TYPE_CHECKING:
    from chalicelib.domain.caller import Caller
    from chalicelib.domain.submission.idempotency import JobIdentity
    from chalicelib.domain.submission.model import Submission

PREEMPTIBLE = "researcher-preemptible"


def render(submission: Submission, caller: Caller, identity: JobIdentity) -> Manifest:
    """Return the Job of *submission*, with labels and annotations for the caller, the submission and *identity*."""
    retention = seconds(submission.ttl_after_finish) if submission.ttl_after_finish else None
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": identity.name,
            "namespace": namespace_of(project_name(submission.project)),
            "labels": {**submission.labels, **_labels(submission, caller, identity)},
            "annotations": {**submission.annotations, **_annotations(submission, caller, identity, retention)},
        },
        "spec": without_none(
            {
                **pod_counts(submission),
                "activeDeadlineSeconds": submission.max_runtime_seconds,
                "ttlSecondsAfterFinished": (retention or MAX_SECONDS) + TTL_MARGIN_SECONDS,
                # Create a replacement only after the failed pod has terminated: the two must not run at the same time.
                "podReplacementPolicy": "Failed",
                "template": {
                    "metadata": {"labels": _pod_labels(submission, caller)},
                    "spec": _pod(submission, identity),
                },
            }
        ),
    }


def _annotations(submission: Submission, caller: Caller, identity: JobIdentity, retention: int | None) -> Manifest:
    return without_none(
        {
            USER_ANNOTATION: caller.subject,
            UPLOADED_BY_ANNOTATION: caller.uploader,
            REQUEST_HASH_ANNOTATION: identity.request_hash,
            KEY_HASH_ANNOTATION: identity.key_hash,
            SUBMISSION_ANNOTATION: submission.as_submitted.decode(),
            RETENTION_ANNOTATION: None if retention is None else str(retention),
        }
    )


def _pod_labels(submission: Submission, caller: Caller) -> dict[str, str]:
    """Return only labels of the API: a user's label could make the pod match a Service or a NetworkPolicy."""
    return {
        MANAGED_BY_LABEL: MANAGED_BY_VALUE,
        PROJECT_LABEL: submission.project,
        JOB_TYPE_LABEL: submission.job_type,
        USER_LABEL: caller.label,
    }


def _labels(submission: Submission, caller: Caller, identity: JobIdentity) -> dict[str, str]:
    queue = {QUEUE_LABEL: submission.queue} if submission.queue else {}
    key = {KEY_LABEL: identity.key_label} if identity.key_label else {}
    return {**_pod_labels(submission, caller), **queue, **key}


def _pod(submission: Submission, identity: JobIdentity) -> Manifest:
    return without_none(
        {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "subdomain": identity.service if submission.nodes else None,
            "nodeSelector": {NODE_TYPE: submission.node_type} if submission.node_type else None,
            "priorityClassName": PREEMPTIBLE if submission.preemptible else None,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": submission.run_as_uid,
                "runAsGroup": submission.run_as_gid,
                "fsGroup": submission.run_as_gid,
                # Changing the owner of every file of a large volume can take hours.
                "fsGroupChangePolicy": "OnRootMismatch",
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [_container(submission, identity)],
            "volumes": volumes(submission) or None,
        }
    )


def _container(submission: Submission, identity: JobIdentity) -> Manifest:
    return without_none(
        {
            "name": CONTAINER,
            "image": submission.image,
            "imagePullPolicy": submission.image_pull_policy,
            "command": _command(submission) or None,
            "args": _arguments(submission) or None,
            "env": _environment(submission, identity) or None,
            "workingDir": submission.working_dir,
            "stdin": submission.stdin or None,
            "tty": submission.tty or None,
            "resources": _resources(submission),
            "volumeMounts": mounts(submission) or None,
            # Keeps the end of the log in the pod's status after the log itself was deleted.
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "privileged": False,
            },
        }
    )


def _command(submission: Submission) -> list[str] | None:
    return shell_command(submission.shell, submission.script) if submission.script else submission.command


def _arguments(submission: Submission) -> list[str]:
    return shell_arguments(submission.arguments) if submission.script else submission.arguments


def _environment(submission: Submission, identity: JobIdentity) -> list[Manifest]:
    overrides = {} if submission.gpu else NO_DEVICES
    variables = [_variable(name, value) for name, value in {**submission.environment, **overrides}.items()]
    return variables + (rendezvous_env(identity, submission.nodes) if submission.nodes else [])


def _variable(name: str, value: str | SecretVariable) -> Manifest:
    if isinstance(value, SecretVariable):
        return {"name": name, "valueFrom": {"secretKeyRef": {"name": value.secret.name, "key": value.secret.key}}}
    return {"name": name, "value": value}


def _resources(submission: Submission) -> Manifest:
    gpu = {GPU: str(submission.gpu)} if submission.gpu else {}
    requests = _amounts(submission.cpu, submission.memory)
    limits = _amounts(submission.cpu_limit, submission.max_memory)
    return {"requests": {**requests, **gpu}, "limits": {**limits, **gpu}}


def _amounts(cpu: float | None, memory: str | None) -> dict[str, str]:
    amounts = {"cpu": kubernetes_cpu(cpu)} if cpu else {}
    return amounts | ({"memory": kubernetes_memory(memory)} if memory else {})
