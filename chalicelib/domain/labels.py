"""Labels and annotations: the keys that this API sets or reads, the reserved ones, and Kubernetes' rules for them."""

from __future__ import annotations

import re

from chalicelib.domain.names import JOB_PATTERN, MAX_JOB_NAME

MAX_LABEL_VALUE = 63
_LABEL_NAME_PATTERN = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
LABEL_VALUE_PATTERN = f"({_LABEL_NAME_PATTERN})?"
LABEL_KEY_PATTERN = f"({JOB_PATTERN}/)?{_LABEL_NAME_PATTERN}"

_SUBDOMAIN = re.compile(JOB_PATTERN)
_LABEL_VALUE = re.compile(LABEL_VALUE_PATTERN)
_LABEL_NAME = re.compile(_LABEL_NAME_PATTERN)

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
    # YuniKorn and Karpenter read pods only; on a Job these keys would have no effect.
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
"""Reserved keys without a domain. Schedulers read others, such as YuniKorn's `queue`, only from pods."""
_RESERVED_ENDINGS = tuple(f".{domain}" for domain in RESERVED_DOMAINS)

MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
MANAGED_BY_VALUE = "researcher-api"
PROJECT_LABEL = f"{OWN_DOMAIN}/project"
JOB_TYPE_LABEL = f"{OWN_DOMAIN}/type"
USER_LABEL = f"{OWN_DOMAIN}/user"
"""The submitter as a label value: the subject, or its hash where it is not a valid label value."""
USER_ANNOTATION = USER_LABEL
"""The submitter's subject, unchanged."""
REQUEST_HASH_ANNOTATION = f"{OWN_DOMAIN}/request-hash"
"""Hash of the caller and the submission: a request with the same hash is a repetition of the same request."""
KEY_HASH_ANNOTATION = f"{OWN_DOMAIN}/idempotency-key-hash"
KEY_LABEL = f"{OWN_DOMAIN}/idempotency-key"
"""The beginning of the same hash, on a Job whose name comes from its Idempotency-Key: the Job is found by it."""
UPLOADED_BY_ANNOTATION = f"{OWN_DOMAIN}/uploaded-by"
"""The principal that S3 names as the uploader of the object."""
SUBMISSION_ANNOTATION = f"{OWN_DOMAIN}/submission"
"""The submission as JSON, before it was rendered."""
SECRETS_ANNOTATION = f"{OWN_DOMAIN}/secrets"
"""On a namespace: comma-separated names of the Secrets that its Jobs may reference."""
RETENTION_ANNOTATION = f"{OWN_DOMAIN}/retention"
"""Retention of a finished Job: on a Job its own, on a namespace the default of its Jobs."""
KEEP_LABEL = f"{OWN_DOMAIN}/keep"
"""The cleanup skips Jobs with this label."""
KEPT_TTL_ANNOTATION = f"{OWN_DOMAIN}/kept-ttl"
"""The `ttlSecondsAfterFinished` that was removed when the Job was kept."""
ANNOUNCED_LABEL = f"{OWN_DOMAIN}/announced"
"""The end of this Job has been published; a label, so that a selector can exclude these Jobs."""
STARTED_ANNOTATION = f"{OWN_DOMAIN}/started-at"
"""When a finished Job first ran, in milliseconds since 1970; set with the label above."""
OUTCOME_ANNOTATION = f"{OWN_DOMAIN}/outcome"
"""How the announced Job ended; see `job.outcome_record`."""
INCOMPLETE_ANNOTATION = f"{OWN_DOMAIN}/incomplete"
"""On a suspended multi-node Job without its Service; the value is the Kueue queue to add when the Job is complete."""
JOB_UID_LABEL = "batch.kubernetes.io/controller-uid"
JOB_NAME_LABEL = "batch.kubernetes.io/job-name"
"""Kubernetes sets both on the pods of a Job."""
COMPLETION_INDEX_LABEL = "batch.kubernetes.io/job-completion-index"
COMPLETION_INDEX_ANNOTATION = COMPLETION_INDEX_LABEL
"""Kubernetes sets both on the pods of an Indexed Job."""


def is_label_value(text: str) -> bool:
    """Return whether *text* is a valid label value."""
    return _LABEL_VALUE.fullmatch(text) is not None


def is_label_key(text: str) -> bool:
    """Return whether *text* is a valid key of a label or an annotation."""
    domain, slash, name = text.rpartition("/")
    return _LABEL_NAME.fullmatch(name) is not None and (
        not slash or (len(domain) <= MAX_JOB_NAME and _SUBDOMAIN.fullmatch(domain) is not None)
    )


def is_reserved_key(key: str) -> bool:
    """Return whether the label or annotation *key* is reserved for Kubernetes, a scheduler, AWS or this API."""
    domain, _, _ = key.rpartition("/")
    return f".{domain}".endswith(_RESERVED_ENDINGS) or key in RESERVED_KEYS
