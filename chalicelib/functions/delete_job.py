"""delete_job: DELETE /jobs/{project}/{name} deletes one Job and its pods."""

from __future__ import annotations

from typing import Annotated

import msgspec
from chalice.app import Blueprint

from chalicelib.adapters.kubernetes import cluster
from chalicelib.adapters.kubernetes.jobs import CallersJobs
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.job.etags import version_in
from chalicelib.domain.names import job_name, project_name
from chalicelib.runtime.http import ANY_TYPE, Answer, Call, endpoint
from chalicelib.runtime.operation import BASE, IF_MATCH, Operation, Success
from chalicelib.settings import settings
from chalicelib.usecases.delete_jobs import Deletion

routes = Blueprint(__name__)


class DeleteQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Which Job is meant, and why it goes."""

    uid: (
        Annotated[
            str, msgspec.Meta(description="The `id` the Job must have.", pattern="^[-0-9a-fA-F]+$", max_length=64)
        ]
        | None
    ) = None
    reason: Annotated[str, msgspec.Meta(description="Why, for the log.", min_length=1, max_length=256)] | None = None


_EXAMPLE = {"name": "train-1", "project": "team-a", "ok": True, "error": None}

OPERATION = Operation(
    summary="Delete a Job",
    description="Deletes the Job and its pods; their GPUs are free when the pods have ended.",
    query=DeleteQuery,
    headers=(IF_MATCH,),
    answers={200: Success("The Job is being deleted.", Deletion, _EXAMPLE)},
    errors=(errors.JobNotFound, errors.PreconditionFailed),
)


@routes.route(f"{BASE}/jobs/{{project}}/{{name}}", methods=["DELETE"], name="delete_job", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def delete(call: Call, project: str, name: str) -> Answer:
    """Deletes the Job as the caller."""
    query = call.query(DeleteQuery)
    version = version_in(call.header("If-Match"))
    call.notes["reason"] = query.reason
    jobs = CallersJobs(cluster.connect(settings()), call.known_caller, call.deadline)
    jobs.delete(project_name(project), job_name(name), query.uid, version)
    return Answer(Deletion(name, project, ok=True))
