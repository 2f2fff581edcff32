"""delete_jobs: DELETE /jobs deletes many Jobs, each on its own."""

from __future__ import annotations

from typing import Annotated

import msgspec
from chalice.app import Blueprint

from chalicelib.adapters.kubernetes import cluster
from chalicelib.adapters.kubernetes.jobs import CallersJobs
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.parsing.strict_json import field_error
from chalicelib.runtime.http import ANY_TYPE, Answer, Call, endpoint
from chalicelib.runtime.operation import BASE, Operation, Success
from chalicelib.settings import settings
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
    answers={200: Success("What became of each.", Deletions, {"data": [{**_NAMED, "ok": True, "error": None}]})},
)


@routes.route(f"{BASE}/jobs", methods=["DELETE"], name="delete_jobs", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def delete(call: Call) -> Answer:
    """Deletes the Jobs as the caller."""
    try:
        targets = msgspec.convert(call.document(), Targets)
    except msgspec.ValidationError as error:
        detail = 'The body is a list of 1 to 100 Jobs such as {"name": "train-1", "project": "team-a"}.'
        raise errors.InvalidJob(detail, (field_error(error),)) from error
    jobs = CallersJobs(cluster.connect(settings()), call.known_caller, call.deadline)
    done = delete_jobs(targets, jobs)
    call.notes["deleted"] = [f"{one.project}/{one.name}" for one in done if one.ok]
    call.notes["refused"] = [f"{one.project}/{one.name}" for one in done if not one.ok]
    return Answer(Deletions(done))
