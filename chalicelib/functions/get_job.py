"""get_job: GET /jobs/{project}/{name} answers one Job, at once or when it has come to what the caller waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from chalice.app import Blueprint

from chalicelib.adapters.kubernetes import cluster
from chalicelib.adapters.kubernetes.job_watch import JobWatch
from chalicelib.adapters.kubernetes.jobs import KubernetesJobs
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.job.etags import etag_of, matches
from chalicelib.domain.job.lifecycle import Until, is_reached
from chalicelib.domain.job.view import EXAMPLE, JobView
from chalicelib.domain.names import job_name, project_name
from chalicelib.functions._ports import as_caller
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, Header, Operation, SuccessResponse
from chalicelib.settings import settings
from chalicelib.usecases.get_job import await_job
from chalicelib.usecases.list_jobs import JobPage

if TYPE_CHECKING:
    from chalicelib.domain.names import JobName, ProjectName

routes = Blueprint(__name__)


class GetQuery(msgspec.Struct, forbid_unknown_fields=True):
    """How long to wait, and for what."""

    wait: Annotated[
        int,
        msgspec.Meta(
            description="Seconds to wait for `until` or, without it, for a change since `If-None-Match`.", ge=0, le=25
        ),
    ] = 0
    until: Annotated[Until, msgspec.Meta(description="`running` also ends when the Job has ended without.")] | None = (
        None
    )


OPERATION = Operation(
    summary="Get a Job",
    description=(
        "One Job, in a list as Run:ai answers it. Send its `ETag` as `If-None-Match` to hear only of changes. "
        "With `wait` the answer comes as soon as the Job is `until` where you want it, and at the latest after that "
        "many seconds as it is then: look at its `status`, and ask again."
    ),
    query=GetQuery,
    headers=(Header("If-None-Match", "An `ETag` of this Job: 304 when nothing changed.", '"4711.9f3a21c0"'),),
    responses={
        200: SuccessResponse(
            "The Job.", JobPage, {"data": [EXAMPLE], "nextPageToken": None}, {"ETag": "The Job's version."}
        ),
        304: SuccessResponse("Nothing changed.", headers={"ETag": "The Job's version."}),
    },
    errors=(errors.JobNotFound, errors.JobCleanedUp, errors.StorageUnavailable),
)


@routes.route(f"{BASE}/jobs/{{project}}/{{name}}", methods=["GET"], name="get_job", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def get(request: Request, project: str, name: str) -> Response:
    """Gets the Job as the caller."""
    query, known = request.query(GetQuery), request.header("If-None-Match")
    waits_until = request.extend_deadline(query.wait)

    def holds(job: JobView, version: str) -> bool:
        return (
            is_reached(query.until, job.status) if query.until else not matches(_representation(job, version)[1], known)
        )

    key = project_name(project), job_name(name)
    watch = JobWatch(cluster.connect(settings()), request.require_caller(), waits_until)
    try:
        job, version = await_job(*key, holds, as_caller(request, KubernetesJobs), watch)
    except errors.JobNotFound as missing:
        raise _explain_missing(request, missing, *key) from None
    text, tag = _representation(job, version)
    return Response(None, 304, {"ETag": tag}) if matches(tag, known) else Response(text, 200, {"ETag": tag})


def _representation(job: JobView, version: str) -> tuple[str, str]:
    """The answer, and its ETag."""
    text = msgspec.json.encode(JobPage([job])).decode()
    return text, etag_of(version, text)


def _explain_missing(
    request: Request, missing: errors.JobNotFound, project: ProjectName, name: JobName
) -> errors.ResearcherError:
    # Only here, not above: most Jobs are there, and a cold start should not pay for S3.
    from chalicelib.adapters.aws import bucket  # noqa: PLC0415
    from chalicelib.adapters.aws.receipts import S3Receipts  # noqa: PLC0415
    from chalicelib.adapters.kubernetes.project import KubernetesProject  # noqa: PLC0415
    from chalicelib.usecases.get_job import explain_missing_job  # noqa: PLC0415

    projects = as_caller(request, KubernetesProject)
    return explain_missing_job(missing, project, name, S3Receipts(bucket.connect(settings())), projects)
