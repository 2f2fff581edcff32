"""job_logs: GET /jobs/{project}/{name}/logs returns the end of a log, or what follows in it."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.adapters.kubernetes import cluster
from chalicelib.adapters.kubernetes.container_logs import KubernetesLogs
from chalicelib.adapters.kubernetes.job_watch import JobWatch
from chalicelib.adapters.kubernetes.jobs import KubernetesJobs
from chalicelib.adapters.kubernetes.pods import KubernetesPods
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.job.log_cursor import encode_cursor
from chalicelib.domain.job.log_format import BYTES, NDJSON, TEXT, format_log, log_type
from chalicelib.domain.job.log_query import LogQuery
from chalicelib.domain.names import job_name, project_name
from chalicelib.functions._missing_job import ERRORS, explained
from chalicelib.functions._ports import as_caller
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, Operation, SuccessResponse
from chalicelib.settings import settings
from chalicelib.usecases.follow_log import LogRequest, Ports, follow_log
from chalicelib.usecases.job_logs import job_log

routes = Blueprint(__name__)

POD = "X-Pod-Name"

OPERATION = Operation(
    summary="Get a Job's log",
    description=(
        "Returns the end of the log of one of the Job's pods, as text; invalid UTF-8 is replaced. If the Job has "
        "several pods, running pods are preferred, and then the newest one; `X-Pod-Name` is the name of the pod. The "
        "log is deleted with its pod.\n\n"
        "With `cursor` the log is followed, over restarts and retries, one pod after the other: the response has what "
        "follows, at most `limitBytes`, as soon as there is something, and at the latest after `wait` seconds. Begin "
        "with `cursor=start` and send `X-Next-Cursor` of each response as the `cursor` of the next request until "
        "`X-Log-Complete` is `true`. `X-Log-Gap` means that a part of the log is missing before this response.\n\n"
        f"With `Accept: {BYTES}` the response has the exact bytes; with `Accept: {NDJSON}` a log is followed as a JSON "
        "object for each line, with `pod`, `index`, `time` and `line`, and `partial` if the line continues in the next "
        "object. An object with `gap` is in the place of a part that is missing."
    ),
    query=LogQuery,
    responses={
        200: SuccessResponse(
            "The log.",
            str,
            "epoch 1 of 3: loss 1.000\n",
            {
                POD: "The name of the pod.",
                "X-Next-Cursor": "The `cursor` of the next request, if the log is followed.",
                "X-Log-Complete": "`true` if nothing will follow, if the log is followed.",
                "X-Log-Gap": "Why a part of the log is missing before this response: `rotated`, `pod_deleted`, "
                "`container_restarted` or `log_gone`.",
            },
            TEXT,
            {
                BYTES: "epoch 1 of 3: loss 1.000\n",
                NDJSON: '{"pod":"train-1-x7k2p","index":null,"time":"2026-11-24T10:00:00.000000000Z",'
                '"line":"epoch 1 of 3: loss 1.000"}\n',
            },
        )
    },
    errors=(*ERRORS, errors.JobNotStarted, errors.LogGone, errors.NodeUnavailable),
)


@routes.route(f"{BASE}/jobs/{{project}}/{{name}}/logs", methods=["GET"], name="job_logs", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def logs(request: Request, project: str, name: str) -> Response:
    """Get the log, as the caller."""
    query, content_type = request.query(LogQuery), log_type(",".join(request.headers("Accept")))
    key = project_name(project), job_name(name)
    with explained(request, *key):
        if query.is_following or content_type == NDJSON:
            return _follow(request, LogRequest(*key, query, content_type))
        log = job_log(*key, query, as_caller(request, KubernetesJobs), as_caller(request, KubernetesPods))
    body = log.content if content_type == BYTES else log.content.decode(errors="replace")
    return Response(body, 200, {POD: log.pod}, content_type)


def _follow(request: Request, log: LogRequest) -> Response:
    until = request.extend_deadline(log.query.wait)
    connection, caller = cluster.connect(settings()), request.require_caller()
    ports = Ports(
        as_caller(request, KubernetesJobs),
        as_caller(request, KubernetesPods),
        KubernetesLogs(connection, caller, request.deadline, until),
        JobWatch(connection, caller, until),
    )
    found = follow_log(log, ports)
    headers = {"X-Next-Cursor": encode_cursor(found.cursor), "X-Log-Complete": str(found.is_complete).lower()}
    headers |= {"X-Log-Gap": found.gap} if found.gap else {}
    headers |= {POD: found.parts[-1].pod} if found.parts else {}
    body = format_log(found.parts, found.gap, log.content_type, timestamps=log.query.timestamps)
    return Response(body, 200, headers, log.content_type)
