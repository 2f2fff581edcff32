"""delete_job: DELETE /jobs/{project}/{name} deletes one Job and its pods."""

from __future__ import annotations

from typing import Annotated

import msgspec
from chalice.app import Blueprint

from chalicelib.adapters.kubernetes.jobs import KubernetesJobs
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.job.etags import required_version
from chalicelib.domain.names import job_name, project_name
from chalicelib.functions._missing_job import ERRORS, explained
from chalicelib.functions._ports import as_caller
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, IF_MATCH, Operation, SuccessResponse
from chalicelib.usecases.delete_jobs import Deletion
from chalicelib.usecases.get_job import require_job

routes = Blueprint(__name__)


class DeleteQuery(msgspec.Struct, forbid_unknown_fields=True):
    """The query of a deletion."""

    uid: (
        Annotated[
            str,
            msgspec.Meta(
                description="Delete the Job only if this is its `id`; otherwise the response is 412.",
                pattern="^[-0-9a-fA-F]+$",
                extra={"rule": "must be the `id` of the Job, from its view"},
                max_length=64,
            ),
        ]
        | None
    ) = None
    reason: (
        Annotated[str, msgspec.Meta(description="The reason, for the request log.", min_length=1, max_length=256)]
        | None
    ) = None


_EXAMPLE = {"name": "train-1", "project": "team-a", "ok": True, "error": None}

OPERATION = Operation(
    summary="Delete a Job",
    description="Deletes the Job and its pods. Their GPUs are released when the pods have terminated.",
    query=DeleteQuery,
    headers=(IF_MATCH,),
    responses={200: SuccessResponse("The Job is being deleted.", Deletion, _EXAMPLE)},
    errors=(*ERRORS, errors.PreconditionFailed),
)


@routes.route(f"{BASE}/jobs/{{project}}/{{name}}", methods=["DELETE"], name="delete_job", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def delete(request: Request, project: str, name: str) -> Response:
    """Delete the Job, as the caller."""
    query = request.query(DeleteQuery)
    version = required_version(request.header("If-Match"))
    request.notes["reason"] = query.reason
    jobs = as_caller(request, KubernetesJobs)
    key = project_name(project), job_name(name)
    with explained(request, *key):
        try:
            jobs.delete(*key, query.uid, version)
        except errors.JobNotFound:
            require_job(*key, jobs)  # only who may read Jobs may read their Receipts
            raise
    return Response(Deletion(name, project, ok=True))
