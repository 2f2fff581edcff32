"""What a Job was asked as, and the submissions that follow from it: a changed one, or its failed indexes again."""

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
from chalicelib.domain.labels import SUBMISSION_ANNOTATION
from chalicelib.domain.names import JobName, ProjectName, job_name
from chalicelib.domain.parsing.merge_patch import apply_merge_patch
from chalicelib.domain.parsing.strict_json import json_document
from chalicelib.domain.submission.model import parse_submission
from chalicelib.domain.submission.reserved_variables import INDEX_MAP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.submission.model import Submission

MAX_INDEX_MAP = 8192
"""Characters, as of any other variable."""
PREFIX = "jobNamePrefix"

_INDEX_MAP = re.compile(r"[0-9]{1,6}(,[0-9]{1,6})*")


class CloneRequest(msgspec.Struct, frozen=True):
    """The request to clone the Job *name*, changed by the merge patch *patch*."""

    project: ProjectName
    name: JobName
    patch: object

    @property
    def identity(self) -> bytes:
        """What tells this request from others, whatever became of the Job; in canonical JSON."""
        return msgspec.json.encode(["clone", self.name, self.patch], order="deterministic")

    @property
    def new_name(self) -> JobName | None:
        """The name that the patch gives to the clone, if it is one."""
        name = self.patch.get("name") if isinstance(self.patch, dict) else None
        with suppress(MalformedRequest):
            return job_name(name) if isinstance(name, str) else None
        return None


def clone_of(project: ProjectName, job: Job, patch: object, *, keyed: bool) -> Submission:
    """The submission of *job* as *patch* changes it.

    The name is not inherited; nor is the prefix where *patch* or a key makes the name.
    """
    if not isinstance(patch, dict):
        raise InvalidJob.at(FieldError("", "must be an object"))
    if patch.get("project", project) != project:
        raise InvalidJob.at(
            FieldError("/project", "is not the original's; submit the Job to the other Project instead")
        )
    try:
        document = apply_merge_patch(_inherited_submission(job, keyed=keyed or bool(patch.get("name"))), patch)
    except RecursionError:
        raise MalformedRequest("The body is nested too deeply.") from None
    return parse_submission({**document, "project": project})


def retry_of(project: ProjectName, job: Job, name: str) -> Submission:
    """The submission, under *name*, that runs what *job* did not complete; the same each time, for the same Job."""
    inherited = _inherited_submission(job, keyed=True)
    asked, places = parse_submission(inherited), unfinished_indexes(job)
    if not job.finished:
        raise JobNotFinished("The Job has not finished. Wait for its end, or delete it.")
    if not asked.indexed:
        raise JobNotRetriable("Only a Job with indexed set runs its failed indexes again. Clone this one instead.")
    if not places:
        raise JobNotRetriable("Every index of the Job has completed: there is nothing to retry.")
    index_map = _index_map(asked, places, job)
    if len(index_map) > MAX_INDEX_MAP:
        raise JobNotRetriable("More indexes failed than a variable can name. Clone the Job, which runs all of them.")
    again = {
        "project": project,
        "name": name,
        "environment": {**inherited.get("environment", {}), INDEX_MAP: index_map},
        "completions": len(places),
        "parallelism": min(asked.parallelism, len(places)),
    }
    most = asked.max_failed_indexes
    return parse_submission({**inherited, **again, "maxFailedIndexes": most and min(most, len(places))})


def _inherited_submission(job: Job, *, keyed: bool) -> dict[str, Any]:
    """The submission as the Job carries it, without what makes a name. Who may change the Job may have changed it."""
    try:
        document = json_document(job.metadata.annotations.get(SUBMISSION_ANNOTATION, "").encode())
    except MalformedRequest:
        document = None
    if not isinstance(document, dict):
        raise SubmissionUnknown("The Job was made by other means, such as kubectl. Submit one like it with POST /jobs.")
    return {field: value for field, value in document.items() if field != "name" and not (keyed and field == PREFIX)}


def _index_map(asked: Submission, places: Sequence[int], job: Job) -> str:
    """The original indexes at *places*: a retry of a retry goes back to the first Job."""
    text = asked.environment.get(INDEX_MAP)
    known = text.split(",") if isinstance(text, str) and _INDEX_MAP.fullmatch(text) else []
    return ",".join(known[place] if len(known) == job.spec.completions else str(place) for place in places)
