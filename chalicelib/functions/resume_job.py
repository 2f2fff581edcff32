"""resume_job: POST /jobs/{project}/{name}/resume lets a suspended Job run."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.adapters.kubernetes import cluster
from chalicelib.adapters.kubernetes.jobs import CallersJobs
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain.job.etags import version_in
from chalicelib.domain.job.view import EXAMPLE, JobView
from chalicelib.domain.names import job_name, project_name
from chalicelib.runtime.http import ANY_TYPE, Answer, Call, endpoint
from chalicelib.runtime.operation import BASE, IF_MATCH, Operation, Success
from chalicelib.settings import settings
from chalicelib.usecases.suspend_job import REFUSALS, resume_job

routes = Blueprint(__name__)

OPERATION = Operation(
    summary="Resume a Job",
    description=(
        "Lets a suspended Job have pods again, which start from the beginning. Resuming it again changes nothing."
    ),
    headers=(IF_MATCH,),
    answers={
        202: Success(
            "The Job may run; its pods are on their way.",
            JobView,
            EXAMPLE | {"status": "Pending", "nodes": [], "currentAllocatedGPUs": 0},
        )
    },
    errors=REFUSALS,
)


@routes.route(f"{BASE}/jobs/{{project}}/{{name}}/resume", methods=["POST"], name="resume_job", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def resume(call: Call, project: str, name: str) -> Answer:
    """Resumes the Job as the caller."""
    version = version_in(call.header("If-Match"))
    jobs = CallersJobs(cluster.connect(settings()), call.known_caller, call.deadline)
    return Answer(resume_job(project_name(project), job_name(name), version, jobs), 202)
