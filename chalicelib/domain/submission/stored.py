"""The submission that a Job stores in an annotation, in full or masked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib.domain.errors import MalformedRequest
from chalicelib.domain.labels import SUBMISSION_ANNOTATION
from chalicelib.domain.parsing.strict_json import json_document

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.jobs import Job


def stored_submission(job: Job) -> dict[str, Any] | None:
    """Return the submission of *job*; None if this API did not create it, or if a user has made the text invalid."""
    try:
        document = json_document(job.metadata.annotations.get(SUBMISSION_ANNOTATION, "null").encode())
    except MalformedRequest:
        return None
    return document if isinstance(document, dict) else None
