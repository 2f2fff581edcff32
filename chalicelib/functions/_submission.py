"""What the functions that make a Job share: how they are asked, and what they answer."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Annotated

import msgspec

from chalicelib.domain import errors
from chalicelib.domain.job.view import EXAMPLE, JobView
from chalicelib.domain.submission.idempotency import MAX_KEY, IdempotencyKey, Nonce
from chalicelib.runtime.http import Answer
from chalicelib.runtime.operation import Header, Success
from chalicelib.usecases.submit_job import preview_job

if TYPE_CHECKING:
    from chalicelib.domain.submission.idempotency import KnownBy
    from chalicelib.domain.submission.model import Submission
    from chalicelib.runtime.http import Call
    from chalicelib.usecases.ports import Jobs
    from chalicelib.usecases.submit_job import Submitted


class SubmitQuery(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """How to submit."""

    dry_run: Annotated[
        bool, msgspec.Meta(description="Only show the Job as the cluster would store it; nothing is made.")
    ] = False


KEY = Header(
    "Idempotency-Key",
    "Makes a repeated request find the Job of the first one.",
    "sweep-7-trial-3",
    pattern="^[!-~]([ -~]*[!-~])?$",
    max_length=MAX_KEY,
)
PREVIEWED = Success(
    "With `dryRun`: the Kubernetes Job as it would be stored, or as it was sent if it is there.",
    dict,
    {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "train-1", "namespace": "researcher-team-a"},
        "spec": {"parallelism": 1, "completions": 1, "suspend": False},
    },
)
CREATED = Success(
    "The Job.",
    JobView,
    EXAMPLE,
    {"Location": "Where the Job is.", "Idempotent-Replayed": "`true` on a replay."},
)
ERRORS = (
    errors.QuotaExceeded,
    errors.RefusedByCluster,
    errors.NameTaken,
    errors.JobBeingDeleted,
)


def preview(call: Call, submission: Submission, known_by: KnownBy, jobs: Jobs) -> Answer:
    """What would become of *submission*."""
    return Answer(preview_job(submission, known_by, call.known_caller, jobs))


def created(call: Call, made: Submitted) -> Answer:
    """The answer that shows the Job, and where it is."""
    call.notes["name"] = made.job.name
    place = f"{call.path.partition('/jobs')[0]}/jobs/{made.job.project}/{made.job.name}"
    return Answer(made.job, 201, {"Location": place} | ({"Idempotent-Replayed": "true"} if made.replayed else {}))


def known_by(call: Call) -> KnownBy:
    """What makes the request known again: its Idempotency-Key, else only itself."""
    key, drawn = call.header("Idempotency-Key"), uuid.uuid4().hex
    return Nonce(drawn) if key is None else IdempotencyKey(key, drawn)
