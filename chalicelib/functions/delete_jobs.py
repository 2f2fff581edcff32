"""delete_jobs: DELETE /jobs deletes several Jobs, each independently."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import msgspec
from chalice.app import Blueprint

from chalicelib.adapters.kubernetes.jobs import KubernetesJobs
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.parsing.strict_json import field_error
from chalicelib.functions._missing_job import explanation
from chalicelib.functions._ports import as_caller
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, Operation, SuccessResponse
from chalicelib.usecases.delete_jobs import Deletion, Target, delete_jobs

routes = Blueprint(__name__)

Targets = Annotated[list[Target], msgspec.Meta(min_length=1, max_length=100)]


class Deletions(msgspec.Struct, frozen=True):
    """The result of each deletion, in the order of the request."""

    data: Annotated[list[Deletion], msgspec.Meta(description="The results, in the order of the request.")]


_EXAMPLE = {"name": "train-2", "project": "team-a"}

OPERATION = Operation(
    summary="Delete several Jobs",
    description=(
        "Deletes up to 100 Jobs and their pods, each independently: if one cannot be deleted, its `error` has the "
        "reason, and the others are deleted. Receipts of Jobs that were cleaned up are left out of `error` if the "
        "response would be too large."
    ),
    body=Targets,
    body_examples={"One Job": [_EXAMPLE]},
    responses={
        200: SuccessResponse(
            "The result of each deletion.", Deletions, {"data": [{**_EXAMPLE, "ok": True, "error": None}]}
        )
    },
)


@routes.route(f"{BASE}/jobs", methods=["DELETE"], name="delete_jobs", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def delete(request: Request) -> Response:
    """Delete the Jobs, as the caller."""
    document = request.document()
    try:
        targets = msgspec.convert(document, Targets)
    except msgspec.ValidationError as error:
        detail = 'The body must be an array of 1 to 100 Jobs such as {"name": "train-1", "project": "team-a"}.'
        raise errors.InvalidJob(detail, (field_error(error, Targets, document),)) from error
    jobs = as_caller(request, KubernetesJobs)
    results = delete_jobs(targets, jobs, partial(explanation, request))
    request.notes["deleted"] = [f"{result.project}/{result.name}" for result in results if result.ok]
    request.notes["failed"] = [f"{result.project}/{result.name}" for result in results if not result.ok]
    return Response(Deletions([result.linked(request.docs_url) for result in results]))
