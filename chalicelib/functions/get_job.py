"""get_job: GET /jobs/{project}/{name} answers one Job."""

from __future__ import annotations

import msgspec
from chalice.app import Blueprint

from chalicelib.adapters import cluster
from chalicelib.adapters.jobs import CallersJobs
from chalicelib.adapters.tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.names import job_name, project_name
from chalicelib.domain.tags import is_known, tag_of
from chalicelib.domain.view import EXAMPLE
from chalicelib.http import ANY_TYPE, Answer, Call, endpoint
from chalicelib.operation import BASE, Header, Operation, Success
from chalicelib.settings import settings
from chalicelib.usecases.jobs import JobPage, get_job

routes = Blueprint(__name__)

OPERATION = Operation(
    summary="Get a Job",
    description="One Job, in a list as Run:ai answers it. Send its `ETag` as `If-None-Match` to hear only of changes.",
    headers=(Header("If-None-Match", "An `ETag` of this Job: 304 when nothing changed.", '"4711.9f3a21c0"'),),
    answers={
        200: Success("The Job.", JobPage, {"data": [EXAMPLE], "nextPageToken": None}, {"ETag": "The Job's version."}),
        304: Success("Nothing changed.", headers={"ETag": "The Job's version."}),
    },
    errors=(errors.JobNotFound,),
)


@routes.route(f"{BASE}/jobs/{{project}}/{{name}}", methods=["GET"], name="get_job", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def get(call: Call, project: str, name: str) -> Answer:
    """Gets the Job as the caller."""
    jobs = CallersJobs(cluster.connect(settings()), call.known_caller, call.deadline)
    job, version = get_job(project_name(project), job_name(name), jobs)
    text = msgspec.json.encode(JobPage([job])).decode()
    tag = tag_of(version, text)
    if is_known(tag, call.header("If-None-Match")):
        return Answer(None, 304, {"ETag": tag})
    return Answer(text, 200, {"ETag": tag})
