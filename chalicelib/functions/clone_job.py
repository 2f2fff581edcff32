"""clone_job: POST /jobs/{project}/{name}/clone makes a Job like one that is there, with what is to be different."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.adapters.kubernetes import cluster
from chalicelib.adapters.kubernetes.preflight import submitting
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.names import job_name, project_name
from chalicelib.domain.submission.resubmission import CloneRequest
from chalicelib.functions._submission import CREATED, ERRORS, KEY, PREVIEWED, SubmitQuery, created, known_by, preview
from chalicelib.runtime.http import ANY_TYPE, Answer, Call, endpoint
from chalicelib.runtime.operation import BASE, Operation
from chalicelib.settings import settings
from chalicelib.usecases.resubmit_job import clone_job, cloned

routes = Blueprint(__name__)

OPERATION = Operation(
    summary="Clone a Job",
    description=(
        "Makes a Job of the submission that made this one. The body is a merge patch of it (RFC 7396): its fields "
        "replace the original's, null takes one away, `{}` changes nothing. The clone gets a name of its own unless "
        "the patch sets one, and stays in the Project. `Idempotency-Key` and `dryRun` are those of a submission."
    ),
    query=SubmitQuery,
    headers=(KEY,),
    body=dict,
    body_example={"environment": {"LEARNING_RATE": "0.001"}, "memory": None},
    answers={200: PREVIEWED, 201: CREATED},
    errors=(*ERRORS, errors.JobNotFound, errors.SubmissionUnknown, errors.IdempotencyKeyReused),
)


@routes.route(f"{BASE}/jobs/{{project}}/{{name}}/clone", methods=["POST"], name="clone_job", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def clone(call: Call, project: str, name: str) -> Answer:
    """Submits the changed Job as the caller."""
    query = call.query(SubmitQuery)
    known = known_by(call)
    call.notes["of"] = name
    jobs = submitting(settings().preflight, cluster.connect(settings()), call.known_caller, call.deadline)
    request = CloneRequest(project_name(project), job_name(name), call.document())
    if query.dry_run:
        return preview(call, cloned(request, known, jobs), known, jobs)
    return created(call, clone_job(request, known, call.known_caller, jobs))
