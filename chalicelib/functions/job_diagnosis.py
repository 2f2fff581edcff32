"""job_diagnosis: GET /jobs/{project}/{name}/diagnosis answers why the Job is where it is."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.adapters.kubernetes import cluster
from chalicelib.adapters.kubernetes.jobs import CallersJobs
from chalicelib.adapters.kubernetes.pods import CallersPods
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.diagnosis.diagnosis import DIAGNOSIS_EXAMPLE, Diagnosis
from chalicelib.domain.names import job_name, project_name
from chalicelib.runtime.http import ANY_TYPE, Answer, Call, endpoint
from chalicelib.runtime.operation import BASE, Operation, Success
from chalicelib.settings import settings
from chalicelib.usecases.job_diagnosis import diagnose_job

routes = Blueprint(__name__)

OPERATION = Operation(
    summary="Why a Job is where it is",
    description=(
        "One cause of a closed list, the evidence for it, and what to do. It is read from the Job, its pods and their "
        "events alone; after an hour, when the events are forgotten, it may know less."
    ),
    answers={200: Success("The diagnosis.", Diagnosis, DIAGNOSIS_EXAMPLE)},
    errors=(errors.JobNotFound,),
)


@routes.route(f"{BASE}/jobs/{{project}}/{{name}}/diagnosis", methods=["GET"], name="job_diagnosis", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def diagnosis(call: Call, project: str, name: str) -> Answer:
    """Diagnoses the Job as the caller."""
    reach = (cluster.connect(settings()), call.known_caller, call.deadline)
    return Answer(diagnose_job(project_name(project), job_name(name), CallersJobs(*reach), CallersPods(*reach)))
