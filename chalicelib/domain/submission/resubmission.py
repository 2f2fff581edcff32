"""Resubmission of a Job from the submission in its annotation: clones with changes, and retries of failed indexes."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib.domain.errors import (
    FieldError,
    InvalidJob,
    JobNotFinished,
    JobNotRetriable,
    MalformedRequest,
    SubmissionUnknown,
)
from chalicelib.domain.kubernetes.completion_indexes import unfinished_indexes
from chalicelib.domain.names import JobName, ProjectName, job_name
from chalicelib.domain.parsing.literals import encode_literal
from chalicelib.domain.parsing.merge_patch import apply_merge_patch
from chalicelib.domain.submission.idempotency import RequestedNames
from chalicelib.domain.submission.model import parse_submission
from chalicelib.domain.submission.reserved_variables import INDEX_MAP
from chalicelib.domain.submission.stored import stored_submission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.submission.model import Submission

MAX_INDEX_MAP = 8192
"""Maximum characters, as for any other variable."""
PREFIX = "jobNamePrefix"

SubmissionPatch = dict[str, object]
"""A merge patch (RFC 7396) of a submission."""

_INDEX_MAP = re.compile(r"[0-9]{1,6}(,[0-9]{1,6})*")


class CloneRequest(msgspec.Struct, frozen=True):
    """The request to clone the Job *name*, changed by the merge patch *patch*."""

    project: ProjectName
    name: JobName
    patch: object

    @property
    def identity(self) -> bytes:
        """The identity of the request in canonical JSON, which does not depend on the state of the original Job."""
        return msgspec.json.encode(["clone", self.name, self.patch], enc_hook=encode_literal, order="deterministic")

    @property
    def names(self) -> RequestedNames:
        """The name and the prefix of the clone in the patch; None if there is none or it is invalid."""
        return RequestedNames(self.project, self._name_in("name"), self._name_in(PREFIX))

    def _name_in(self, field: str) -> JobName | None:
        name = self.patch.get(field) if isinstance(self.patch, dict) else None
        with suppress(MalformedRequest):
            return job_name(name) if isinstance(name, str) else None
        return None


def clone_of(project: ProjectName, job: Job, patch: object, *, keyed: bool) -> Submission:
    """Return the submission of *job* with *patch* applied.

    The clone does not inherit the name, nor the name prefix if its name comes from *patch* or a key (*keyed*): that
    name must not depend on the original, which may be gone when the request is repeated.
    """
    if not isinstance(patch, dict):
        raise InvalidJob.at(FieldError("", "must be an object"))
    if patch.get("project", project) != project:
        raise InvalidJob.at(
            FieldError(
                "/project", "must be the Project of the original Job; to use another Project, submit the Job there"
            )
        )
    try:
        document = apply_merge_patch(_inherited_submission(job, keyed=keyed or bool(patch.get("name"))), patch)
    except RecursionError:
        raise MalformedRequest("The body has too many levels of nested arrays and objects.") from None
    return parse_submission({**document, "project": project})


def retry_of(project: ProjectName, job: Job, name: str) -> Submission:
    """Return the submission *name* that runs the incomplete indexes of *job*; it is the same on each call."""
    inherited = _inherited_submission(job, keyed=True)
    original, indexes = parse_submission(inherited), unfinished_indexes(job)
    if not job.finished:
        raise JobNotFinished("The Job has not finished. Wait until it finishes, or delete it.")
    if not original.indexed:
        raise JobNotRetriable("Only a Job with indexed set can be retried. Clone this Job instead.")
    if not indexes:
        raise JobNotRetriable("Every index of the Job has completed: there is nothing to retry.")
    index_map = _index_map(original, indexes, job)
    if len(index_map) > MAX_INDEX_MAP:
        raise JobNotRetriable("Too many indexes failed for a retry. Clone the Job instead, which runs all indexes.")
    overrides = {
        "project": project,
        "name": name,
        "environment": {**inherited.get("environment", {}), INDEX_MAP: index_map},
        "completions": len(indexes),
        "parallelism": min(original.parallelism, len(indexes)),
    }
    limit = original.max_failed_indexes
    return parse_submission({**inherited, **overrides, "maxFailedIndexes": limit and min(limit, len(indexes))})


def _inherited_submission(job: Job, *, keyed: bool) -> dict[str, Any]:
    """Return the submission in the annotation of *job* without its name; users who can edit the Job can change it."""
    document = stored_submission(job)
    if document is None:
        raise SubmissionUnknown(
            "The Job was not created by this API, so its submission is not known. Submit a new Job with POST /jobs."
        )
    return {field: value for field, value in document.items() if field != "name" and not (keyed and field == PREFIX)}


def _index_map(submission: Submission, indexes: Sequence[int], job: Job) -> str:
    """Return *indexes* as indexes of the first Job, also if *job* is itself a retry."""
    text = submission.environment.get(INDEX_MAP)
    originals = text.split(",") if isinstance(text, str) and _INDEX_MAP.fullmatch(text) else []
    return ",".join(originals[index] if len(originals) == job.spec.completions else str(index) for index in indexes)
