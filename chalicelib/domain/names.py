"""Names of Projects and Jobs: every name in a request is validated here before it reaches a URL or a namespace."""

from __future__ import annotations

import re
from typing import NewType

from chalicelib.domain.errors import FieldError, MalformedRequest

ProjectName = NewType("ProjectName", str)
"""The name of a Project: a DNS label of at most 50 characters, so that the name of its namespace fits into 63."""

JobName = NewType("JobName", str)
"""The name of a Job in a Project: a DNS subdomain of at most 253 characters."""

PROJECT_PATTERN = r"[a-z0-9]([-a-z0-9]{0,48}[a-z0-9])?"
JOB_PATTERN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
"""The length is limited by MAX_JOB_NAME."""
MAX_JOB_NAME = 253
"""Kubernetes' limit for the name of an object. A Job's name is also the value of a label on its pods, of at most
MAX_LABEL_VALUE characters, unless the Job has `manualSelector: true`: its pods do not get that label."""
MAX_NEW_NAME = 52
NEW_JOB_PATTERN = rf"[a-z0-9]([-a-z0-9]{{0,{MAX_NEW_NAME - 2}}}[a-z0-9])?"
"""Stricter than JOB_PATTERN: a Job's pods append up to 11 characters, and their names are host names."""

_SUBDOMAIN = re.compile(JOB_PATTERN)

NAMESPACE_PREFIX = "researcher-"


def project_name(text: str, pointer: str = "/project") -> ProjectName:
    """Return *text* as the name of a Project; raise MalformedRequest if it is not a valid one."""
    if not re.fullmatch(PROJECT_PATTERN, text):
        raise _malformed_name(pointer, "must have 1 to 50 lower-case letters, digits and inner hyphens")
    return ProjectName(text)


def job_name(text: str, pointer: str = "/name") -> JobName:
    """Return *text* as the name of an existing Job; raise MalformedRequest if it is not a valid one."""
    if len(text) > MAX_JOB_NAME or not _SUBDOMAIN.fullmatch(text):
        allowed = "lower-case letters, digits, inner hyphens and dots"
        raise _malformed_name(pointer, f"must have 1 to {MAX_JOB_NAME} {allowed}")
    return JobName(text)


def namespace_of(project: ProjectName) -> str:
    """Return the namespace of *project*."""
    return NAMESPACE_PREFIX + project


def _malformed_name(pointer: str, message: str) -> MalformedRequest:
    return MalformedRequest("A name in the request is invalid.", (FieldError(pointer, message),))
