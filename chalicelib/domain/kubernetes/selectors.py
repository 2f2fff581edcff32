"""Label selectors for Jobs and pods, built from validated parts only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from chalicelib.domain.caller import user_label
from chalicelib.domain.errors import FieldError, MalformedRequest
from chalicelib.domain.labels import (
    JOB_NAME_LABEL,
    JOB_TYPE_LABEL,
    LABEL_KEY_PATTERN,
    LABEL_VALUE_PATTERN,
    MAX_LABEL_VALUE,
    USER_LABEL,
    is_label_key,
    is_label_value,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from chalicelib.domain.kubernetes.jobs import Job

MAX_TERMS = 16
INTERACTIVE = "Interactive"

_EQUALITY = rf"{LABEL_KEY_PATTERN}(==|=|!=){LABEL_VALUE_PATTERN}"
SELECTOR_PATTERN = rf"^{_EQUALITY}(,{_EQUALITY}){{0,{MAX_TERMS - 1}}}$"
"""The pattern in the OpenAPI document; requests are validated by `job_selector`."""

_TERM = re.compile(r"(?P<key>[^=!,\s]+)(?P<operator>=|==|!=)(?P<value>[^=!,\s]*)")


def job_selector(label: str | None, user: str | None, job_type: str | None) -> str:
    """Return the selector for Jobs that match the selector *label*, *user* and *job_type*; empty selects all Jobs."""
    terms = _equalities(label) if label else []
    terms += [f"{USER_LABEL}={user_label(user)}"] if user else []
    # A Job without the label counts as Train, as in its view.
    terms += [f"{JOB_TYPE_LABEL}{'=' if job_type == INTERACTIVE else '!='}{INTERACTIVE}"] if job_type else []
    return ",".join(terms)


def has_equality(label: str) -> bool:
    """Return whether the valid selector *label* requires a value of a label: one without that selects nearly all."""
    return any(term["operator"] != "!=" and term["value"] for term in _terms(label))


def selects(label: str, labels: Mapping[str, str]) -> bool:
    """Return whether the valid selector *label* selects an object with *labels*, as the cluster does."""
    return all((labels.get(term["key"]) == term["value"]) != (term["operator"] == "!=") for term in _terms(label))


def pod_selector(jobs: Sequence[Job]) -> str | None:
    """Return the selector for the pods of *jobs*, or None if no label selects them.

    Pods have the name of their Job as a label, unless the Job has `manualSelector: true`. The custom selector of such a
    Job can be used only for a single Job, because label selectors cannot be combined by "or".
    """
    if len(jobs) == 1 and jobs[0].spec.manual_selector:
        return _equal_labels(jobs[0].spec.selector.match_labels)
    names = [job.metadata.name for job in jobs if len(job.metadata.name) <= MAX_LABEL_VALUE]
    return f"{JOB_NAME_LABEL} in ({','.join(names)})" if names else None


def _equal_labels(labels: Mapping[str, str]) -> str | None:
    """Return the selector for *labels*, or None if there are none, or too many for a URL."""
    return ",".join(f"{key}={value}" for key, value in labels.items()) if 0 < len(labels) <= MAX_TERMS else None


def _terms(label: str) -> Iterator[re.Match[str]]:
    return filter(None, map(_TERM.fullmatch, label.split(",")))


def _equalities(text: str) -> list[str]:
    terms = [_TERM.fullmatch(term) for term in text.split(",")]
    if len(terms) > MAX_TERMS or not all(
        term and is_label_key(term["key"]) and is_label_value(term["value"]) for term in terms
    ):
        message = f"must have at most {MAX_TERMS} comma-separated terms such as team=vision or stage!=test"
        raise MalformedRequest("The label selector is invalid.", (FieldError("/label", message),))
    return [term[0] for term in terms if term]
