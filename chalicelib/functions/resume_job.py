"""resume_job: POST /jobs/{project}/{name}/resume lets a suspended Job run."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.adapters import cluster
from chalicelib.adapters.jobs import CallersJobs
from chalicelib.adapters.tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.names import job_name, project_name
from chalicelib.domain.tags import ONE_OR_ANY, version_in
from chalicelib.domain.view import EXAMPLE, JobView
from chalicelib.http import ANY_TYPE, Answer, Call, endpoint
from chalicelib.operation import BASE, Header, Operation, Success
from chalicelib.settings import settings
from chalicelib.usecases.suspend import resume_job

routes = Blueprint(__name__)

OPERATION = Operation(
    summary="Resume a Job",
    description=(
        "Lets a suspended Job have pods again, which start from the beginning. Resuming it again changes nothing."
    ),
    headers=(Header("If-Match", "The `ETag` the Job must still have.", '"4711.9f3a21c0"', pattern=ONE_OR_ANY),),
    answers={
        202: Success(
            "The Job may run; its pods are on their way.",
            JobView,
            EXAMPLE | {"status": "Pending", "nodes": [], "currentAllocatedGPUs": 0},
        )
    },
    errors=(
        errors.JobNotFound,
        errors.JobFinished,
        errors.BeingDeleted,
        errors.BeingMade,
        errors.QueueDecides,
        errors.PreconditionFailed,
    ),
)


@routes.route(f"{BASE}/jobs/{{project}}/{{name}}/resume", methods=["POST"], name="resume_job", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def resume(call: Call, project: str, name: str) -> Answer:
    """Resumes the Job as the caller."""
    version = version_in(call.header("If-Match"))
    jobs = CallersJobs(cluster.connect(settings()), call.known_caller, call.deadline)
    return Answer(resume_job(project_name(project), job_name(name), version, jobs), 202)
