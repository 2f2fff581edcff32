"""get_job: GET /jobs/{project}/{name} returns a Job, at once or after waiting for a status or a change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from chalice.app import Blueprint

from chalicelib.adapters.kubernetes import cluster
from chalicelib.adapters.kubernetes.job_watch import JobWatch
from chalicelib.adapters.kubernetes.jobs import KubernetesJobs
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain.job.etags import ChangeSince, etag_of, matches
from chalicelib.domain.job.lifecycle import Until, is_reached
from chalicelib.domain.job.view import EXAMPLE, JobView
from chalicelib.domain.names import job_name, project_name
from chalicelib.functions._missing_job import ERRORS, explained
from chalicelib.functions._ports import as_caller
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, Header, Operation, SuccessResponse
from chalicelib.settings import settings
from chalicelib.usecases.get_job import await_job
from chalicelib.usecases.list_jobs import JobPage

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.names import ProjectName

routes = Blueprint(__name__)


class GetQuery(msgspec.Struct, forbid_unknown_fields=True):
    """The query of a wait."""

    wait: Annotated[
        int,
        msgspec.Meta(
            description="Seconds to wait for `until` or, without it, for a change since `If-None-Match`.", ge=0, le=25
        ),
    ] = 0
    until: (
        Annotated[
            Until,
            msgspec.Meta(
                description="The status to wait for. Waiting for `running` also ends when the Job has finished."
            ),
        ]
        | None
    ) = None
    include: (
        Annotated[
            Literal["submission"],
            msgspec.Meta(
                description="`submission` adds the request that created the Job, for a clone or a comparison."
            ),
        ]
        | None
    ) = None


OPERATION = Operation(
    summary="Get a Job",
    description=(
        "Returns the Job as a list of one, as Run:ai does. Send its `ETag` as `If-None-Match` to get 304 if it has not "
        "changed. With `wait` the response is sent as soon as the Job has reached `until`, and at the latest after "
        "this many seconds, with the Job as it is then: check its `status`, and repeat the request if necessary. A "
        "wait for a change ends when the stored Job or its `status` changes, and not for each message about its pods."
    ),
    query=GetQuery,
    headers=(
        Header(
            "If-None-Match",
            "The `ETag` of an earlier response: the response is 304 if the Job has not changed since.",
            '"4711.9f3a21c0"',
        ),
    ),
    responses={
        200: SuccessResponse(
            "The Job.", JobPage, {"data": [EXAMPLE], "nextPageToken": None}, {"ETag": "The Job's version."}
        ),
        304: SuccessResponse("The Job has not changed.", headers={"ETag": "The Job's version."}),
    },
    errors=ERRORS,
)


@routes.route(f"{BASE}/jobs/{{project}}/{{name}}", methods=["GET"], name="get_job", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def get(request: Request, project: str, name: str) -> Response:
    """Get the Job, as the caller."""
    query, if_none_match = request.query(GetQuery), request.header("If-None-Match")
    wait_end = request.extend_deadline(query.wait)

    change = ChangeSince(if_none_match)

    def holds(job: JobView, version: str) -> bool:
        if query.until:
            return is_reached(query.until, job.status)
        return change.has_come(_representation(job, version)[1], version, job.status)

    key = project_name(project), job_name(name)
    watch = JobWatch(cluster.connect(settings()), request.require_caller(), wait_end)
    extend = _with_submission(request, key[0]) if query.include else _unchanged
    with explained(request, *key):
        job, version = await_job(*key, holds, as_caller(request, KubernetesJobs), watch, extend=extend)
    text, tag = _representation(job, version)
    return Response(None, 304, {"ETag": tag}) if matches(tag, if_none_match) else Response(text, 200, {"ETag": tag})


def _representation(job: JobView, version: str) -> tuple[str, str]:
    """Return the body of the response, and its ETag."""
    text = msgspec.json.encode(JobPage([job])).decode()
    return text, etag_of(version, text)


def _unchanged(shown: JobView, job: Job) -> JobView:
    del job
    return shown


def _with_submission(request: Request, project: ProjectName) -> Callable[[JobView, Job], JobView]:
    # Imported here, because other requests for a Job need neither.
    from chalicelib.domain.finished.redaction import redact_submission  # noqa: PLC0415
    from chalicelib.domain.submission.stored import stored_submission  # noqa: PLC0415

    def extend(shown: JobView, job: Job) -> JobView:
        connection, caller = cluster.connect(settings()), request.require_caller()
        submission = stored_submission(job)
        if not connection.has_permission("create", project, caller, request.deadline):
            submission = redact_submission(submission)
        return msgspec.structs.replace(shown, submission=submission)

    return extend
