"""Names of Projects and Jobs: every name in a request is validated here before it reaches a URL or a namespace."""

from __future__ import annotations

import re
from typing import NewType

from chalicelib.domain.errors import FieldError, MalformedRequest

ProjectName = NewType("ProjectName", str)
"""The name of a Project: a DNS label of at most 50 characters, so that the name of its namespace fits into 63."""

JobName = NewType("JobName", str)
"""The name of a Job in a Project: a DNS subdomain of at most 253 characters."""

MAX_PROJECT = 50
PROJECT_PATTERN = r"[a-z0-9]([-a-z0-9]{0,48}[a-z0-9])?"
JOB_PATTERN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
"""The length is limited by MAX_JOB_NAME."""
MAX_JOB_NAME = 253
"""Kubernetes' limit for the name of an object. A Job's name is also the value of a label on its pods, of at most
MAX_LABEL_VALUE characters, unless the Job has `manualSelector: true`: its pods do not get that label."""
MAX_NEW_NAME = 52
NEW_JOB_PATTERN = rf"[a-z0-9]([-a-z0-9]{{0,{MAX_NEW_NAME - 2}}}[a-z0-9])?"
"""Stricter than JOB_PATTERN: a Job's pods append up to 11 characters, and their names are host names."""

PROJECT_LETTERS = "lower-case letters, digits and inner hyphens"
JOB_LETTERS = "lower-case letters, digits, inner hyphens and dots"

_SUBDOMAIN = re.compile(JOB_PATTERN)

NAMESPACE_PREFIX = "researcher-"


def project_name(text: str, pointer: str = "/project") -> ProjectName:
    """Return *text* as the name of a Project; raise MalformedRequest if it is not a valid one."""
    if not re.fullmatch(PROJECT_PATTERN, text):
        rule = f"must have 1 to {MAX_PROJECT} {PROJECT_LETTERS}"
        raise _malformed_name(pointer, rule, legal_name(text, MAX_PROJECT))
    return ProjectName(text)


def job_name(text: str, pointer: str = "/name") -> JobName:
    """Return *text* as the name of an existing Job; raise MalformedRequest if it is not a valid one."""
    if len(text) > MAX_JOB_NAME or not _SUBDOMAIN.fullmatch(text):
        rule = f"must have 1 to {MAX_JOB_NAME} {JOB_LETTERS}"
        # A dot may be part of the name of a Job that exists, and the offer would be another name.
        raise _malformed_name(pointer, rule, "" if "." in text else legal_name(text, MAX_NEW_NAME))
    return JobName(text)


def namespace_of(project: ProjectName) -> str:
    """Return the namespace of *project*."""
    return NAMESPACE_PREFIX + project


def legal_name(text: str, longest: int) -> str:
    """Return the name of at most *longest* characters that *text* most likely means; empty if there is none.

    An error message may offer it: it has only the letters a to z, digits and hyphens.
    """
    import unicodedata  # noqa: PLC0415 - only a refused name needs it

    letters = unicodedata.normalize("NFKD", text[:MAX_JOB_NAME]).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")
    return words[:longest].rstrip("-")


def _malformed_name(pointer: str, rule: str, offer: str) -> MalformedRequest:
    message = f"{rule}; for example `{offer}`" if offer else rule
    return MalformedRequest("A name in the request is invalid; errors has the rule.", (FieldError(pointer, message),))
