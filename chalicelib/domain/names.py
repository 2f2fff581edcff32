"""Checked names. Whatever reaches a URL, a namespace or a label passed through here first."""

from __future__ import annotations

import re
from typing import NewType

from chalicelib.domain.errors import FieldError, MalformedRequest

ProjectName = NewType("ProjectName", str)
"""A Project: a DNS label of at most 50 characters, so that its namespace fits into 63."""

JobName = NewType("JobName", str)
"""The name of a Job in a Project: a DNS subdomain of at most 253 characters."""

PROJECT_PATTERN = r"[a-z0-9]([-a-z0-9]{0,48}[a-z0-9])?"
JOB_PATTERN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
"""Of at most MAX_JOB_NAME characters."""
MAX_JOB_NAME = 253
"""Kubernetes' limit for the name of an object. A Job's name is also a label's value, of at most MAX_LABEL_VALUE
characters, unless the Job has `manualSelector: true`: its pods do not get that label."""
MAX_LABEL_VALUE = 63
MAX_NEW_NAME = 52
NEW_JOB_PATTERN = rf"[a-z0-9]([-a-z0-9]{{0,{MAX_NEW_NAME - 2}}}[a-z0-9])?"
"""Stricter than JOB_PATTERN: a Job's pods append up to 11 characters, and their names are host names."""

_LABEL_NAME_PATTERN = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
LABEL_VALUE_PATTERN = f"({_LABEL_NAME_PATTERN})?"
LABEL_KEY_PATTERN = f"({JOB_PATTERN}/)?{_LABEL_NAME_PATTERN}"

_SUBDOMAIN = re.compile(JOB_PATTERN)
_LABEL_VALUE = re.compile(LABEL_VALUE_PATTERN)
_LABEL_NAME = re.compile(_LABEL_NAME_PATTERN)

NAMESPACE_PREFIX = "researcher-"
OWN_DOMAIN = "researcher.dev"
RESERVED_DOMAINS = (
    OWN_DOMAIN,
    # Kubernetes, with Kueue, coscheduling and the Cluster Autoscaler; AWS.
    "kubernetes.io",
    "k8s.io",
    "x-k8s.io",
    "amazonaws.com",
    # The KAI Scheduler reads queue, priority, preemption and topology from a Job (pkg/podgrouper); its older names.
    "kai.scheduler",
    "run.ai",
    "runai",
    # Volcano copies a Job's annotations to its PodGroup (pkg/controllers/podgroup, inheritUpperAnnotations).
    "volcano.sh",
    # YuniKorn and Karpenter read pods; on a Job these would say what they do not do.
    "yunikorn.apache.org",
    "karpenter.sh",
    "k8s.aws",
)
RESERVED_KEYS = (
    "job-name",
    "controller-uid",
    # The KAI Scheduler takes these labels of a Job for its priority and for its queue (defaultgrouper.go).
    "priorityClassName",
    "project",
)
"""Keys without a domain. Others that schedulers know, such as YuniKorn's `queue`, they read from pods alone."""
_RESERVED_ENDINGS = tuple(f".{domain}" for domain in RESERVED_DOMAINS)

MANAGED_BY = "app.kubernetes.io/managed-by"
OURS = "researcher-api"
PROJECT_MARK = f"{OWN_DOMAIN}/project"
TYPE_MARK = f"{OWN_DOMAIN}/type"
USER_MARK = f"{OWN_DOMAIN}/user"
"""As a label the caller's label, to select by; as an annotation the subject itself, to show."""
REQUEST_HASH = f"{OWN_DOMAIN}/request-hash"
"""What was asked and by whom: the same again is a replay."""
KEY_HASH = f"{OWN_DOMAIN}/idempotency-key-hash"
UPLOADER_MARK = f"{OWN_DOMAIN}/uploaded-by"
"""Who put the object of an upload, as S3 says."""
SUBMISSION = f"{OWN_DOMAIN}/submission"
"""The submission as it was asked."""
SECRETS = f"{OWN_DOMAIN}/secrets"
"""Of a namespace, the Secrets that its Jobs may name, separated by commas."""
RETENTION = f"{OWN_DOMAIN}/retention"
"""How long a finished Job stays: of a Job as it was asked, of a namespace for the Jobs that did not ask."""
KEEP = f"{OWN_DOMAIN}/keep"
"""As a label, what the cleanup leaves alone."""
ANNOUNCED = f"{OWN_DOMAIN}/announced"
"""As a label, that the end of the Job has been announced: what has it is not listed again."""
HALF_MADE = f"{OWN_DOMAIN}/half-made"
"""On a multi-node Job that waits, suspended, for its Service; its value is the queue that it will wait in then."""
JOB_UID_LABEL = "batch.kubernetes.io/controller-uid"
JOB_NAME_LABEL = "batch.kubernetes.io/job-name"
"""Kubernetes' own labels on a Job's pods."""
INDEX_MARK = "batch.kubernetes.io/job-completion-index"
"""Kubernetes' own label and annotation on the pods of an Indexed Job."""


def project_name(text: str, pointer: str = "/project") -> ProjectName:
    """*text* as a Project's name; MalformedRequest when it cannot be one."""
    if not re.fullmatch(PROJECT_PATTERN, text):
        raise _refusal(pointer, "a Project's name has 1 to 50 lower-case letters, digits and inner hyphens")
    return ProjectName(text)


def job_name(text: str, pointer: str = "/name") -> JobName:
    """*text* as the name of an existing Job, however it was made; MalformedRequest when it cannot be one."""
    if len(text) > MAX_JOB_NAME or not _SUBDOMAIN.fullmatch(text):
        allowed = "lower-case letters, digits, inner hyphens and dots"
        raise _refusal(pointer, f"a Job's name has 1 to {MAX_JOB_NAME} {allowed}")
    return JobName(text)


def namespace_of(project: ProjectName) -> str:
    """The namespace that is the Project on the cluster."""
    return NAMESPACE_PREFIX + project


def is_label_value(text: str) -> bool:
    """Whether Kubernetes takes *text* as the value of a label."""
    return _LABEL_VALUE.fullmatch(text) is not None


def is_label_key(text: str) -> bool:
    """Whether Kubernetes takes *text* as the key of a label or an annotation."""
    domain, slash, name = text.rpartition("/")
    return _LABEL_NAME.fullmatch(name) is not None and (
        not slash or (len(domain) <= 253 and _SUBDOMAIN.fullmatch(domain) is not None)  # noqa: PLR2004 - RFC 1123
    )


def is_reserved_key(key: str) -> bool:
    """Whether the label or annotation *key* has a meaning to Kubernetes, to a scheduler, to AWS or to us."""
    domain, _, _ = key.rpartition("/")
    return f".{domain}".endswith(_RESERVED_ENDINGS) or key in RESERVED_KEYS


def _refusal(pointer: str, message: str) -> MalformedRequest:
    return MalformedRequest("A name in the request is invalid.", (FieldError(pointer, message),))
