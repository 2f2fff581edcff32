"""get_job: GET /jobs/{project}/{name} answers one Job, at once or when it has come to what the caller waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from chalice.app import Blueprint

from chalicelib.adapters.kubernetes import cluster
from chalicelib.adapters.kubernetes.job_watch import CallersChanges
from chalicelib.adapters.kubernetes.jobs import CallersJobs
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.job.etags import is_known, tag_of
from chalicelib.domain.job.view import EXAMPLE, JobView
from chalicelib.domain.job.waiting import Until, has_come
from chalicelib.domain.names import job_name, project_name
from chalicelib.runtime.http import ANY_TYPE, Answer, Call, endpoint
from chalicelib.runtime.operation import BASE, Header, Operation, Success
from chalicelib.settings import settings
from chalicelib.usecases.list_jobs import JobPage
from chalicelib.usecases.wait_for_job import await_job

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
    answers={
        200: Success("The Job.", JobPage, {"data": [EXAMPLE], "nextPageToken": None}, {"ETag": "The Job's version."}),
        304: Success("Nothing changed.", headers={"ETag": "The Job's version."}),
    },
    errors=(errors.JobNotFound, errors.JobCleanedUp, errors.StorageUnavailable),
)


@routes.route(f"{BASE}/jobs/{{project}}/{{name}}", methods=["GET"], name="get_job", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def get(call: Call, project: str, name: str) -> Answer:
    """Gets the Job as the caller."""
    query, known = call.query(GetQuery), call.header("If-None-Match")
    waits_until = call.postpone(query.wait)
    connected = cluster.connect(settings())

    def holds(job: JobView, version: str) -> bool:
        return has_come(query.until, job.status) if query.until else not is_known(_told(job, version)[1], known)

    meant = project_name(project), job_name(name)
    jobs = CallersJobs(connected, call.known_caller, call.deadline)
    try:
        job, version = await_job(*meant, holds, jobs, CallersChanges(connected, call.known_caller, waits_until))
    except errors.JobNotFound as missing:
        raise _gone(call, missing, *meant) from None
    text, tag = _told(job, version)
    return Answer(None, 304, {"ETag": tag}) if is_known(tag, known) else Answer(text, 200, {"ETag": tag})


def _told(job: JobView, version: str) -> tuple[str, str]:
    """The answer, and its ETag."""
    text = msgspec.json.encode(JobPage([job])).decode()
    return text, tag_of(version, text)


def _gone(call: Call, missing: errors.JobNotFound, project: ProjectName, name: JobName) -> errors.ResearcherError:
    # Only here, not above: most Jobs are there, and a cold start should not pay for S3.
    from chalicelib.adapters.aws import bucket  # noqa: PLC0415
    from chalicelib.adapters.aws.receipts import Receipts  # noqa: PLC0415
    from chalicelib.adapters.kubernetes.project import CallersProject  # noqa: PLC0415
    from chalicelib.usecases.explain_missing_job import cleaned_up  # noqa: PLC0415

    projects = CallersProject(cluster.connect(settings()), call.known_caller, call.deadline)
    return cleaned_up(missing, project, name, Receipts(bucket.connect(settings())), projects)
