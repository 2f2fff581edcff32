"""delete_jobs: DELETE /jobs deletes many Jobs, each on its own."""

from __future__ import annotations

from typing import Annotated

import msgspec
from chalice.app import Blueprint

from chalicelib.adapters.kubernetes.jobs import KubernetesJobs
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.parsing.strict_json import field_error
from chalicelib.functions._ports import as_caller
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, Operation, SuccessResponse
from chalicelib.usecases.delete_jobs import Deletion, Target, delete_jobs

routes = Blueprint(__name__)

Targets = Annotated[list[Target], msgspec.Meta(min_length=1, max_length=100)]


class Deletions(msgspec.Struct, frozen=True):
    """What became of each Job, in the order of the request."""

    data: list[Deletion]


_NAMED = {"name": "train-1", "project": "team-a"}

OPERATION = Operation(
    summary="Delete many Jobs",
    description="Deletes up to 100 Jobs. One that is refused does not stop the rest; its `error` says why.",
    body=Targets,
    body_example=[_NAMED],
    responses={
        200: SuccessResponse("What became of each.", Deletions, {"data": [{**_NAMED, "ok": True, "error": None}]})
    },
)


@routes.route(f"{BASE}/jobs", methods=["DELETE"], name="delete_jobs", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def delete(request: Request) -> Response:
    """Deletes the Jobs as the caller."""
    try:
        targets = msgspec.convert(request.document(), Targets)
    except msgspec.ValidationError as error:
        detail = 'The body is a list of 1 to 100 Jobs such as {"name": "train-1", "project": "team-a"}.'
        raise errors.InvalidJob(detail, (field_error(error),)) from error
    jobs = as_caller(request, KubernetesJobs)
    done = delete_jobs(targets, jobs)
    request.notes["deleted"] = [f"{one.project}/{one.name}" for one in done if one.ok]
    request.notes["refused"] = [f"{one.project}/{one.name}" for one in done if not one.ok]
    return Response(Deletions(done))
