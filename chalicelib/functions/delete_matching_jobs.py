"""delete_matching_jobs: DELETE /jobs/{project}?label= deletes the Jobs that a label selects."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, ClassVar

import msgspec
from chalice.app import Blueprint

from chalicelib.adapters.kubernetes.jobs import KubernetesJobs
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain.job.query import JobQuery, Label, Statuses, resolved
from chalicelib.domain.names import project_name
from chalicelib.functions._ports import as_caller
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, Operation, SuccessResponse
from chalicelib.usecases.delete_matching_jobs import MatchingDeletions, delete_matching_jobs, require_narrow_label

routes = Blueprint(__name__)


class DeleteMatchingQuery(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Which Jobs to delete."""

    comma_separated: ClassVar[frozenset[str]] = JobQuery.comma_separated

    label: Label
    status: Statuses | None = None
    dry_run: Annotated[
        bool, msgspec.Meta(description="Delete nothing: return what would be deleted, checked by the cluster.")
    ] = False


_EXAMPLE = {
    "data": [{"name": "train-2", "project": "team-a", "ok": True, "error": None}],
    "kept": ["train-1"],
    "more": False,
    "dryRun": False,
}

OPERATION = Operation(
    summary="Delete the Jobs that a label selects",
    description=(
        "Deletes the Project's Jobs that match `label` and `status`, with their pods; at most 100 in a request. "
        "`label` must require the value of a label. Kept Jobs are not deleted. Each Job is deleted by itself, and only "
        "if it still matches: if one cannot be deleted, its `error` has the reason. Send `dryRun=true` first to see "
        "which Jobs match."
    ),
    query=DeleteMatchingQuery,
    responses={200: SuccessResponse("The result of each deletion.", MatchingDeletions, _EXAMPLE)},
)


@routes.route(f"{BASE}/jobs/{{project}}", methods=["DELETE"], name="delete_matching_jobs", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def delete(request: Request, project: str) -> Response:
    """Delete the Jobs, as the caller."""
    query = request.query(DeleteMatchingQuery)
    jobs_query = JobQuery(label=query.label, status=query.status)
    selected = resolved(jobs_query, request.require_caller().subject, datetime.now(UTC))
    require_narrow_label(query.label)
    jobs = as_caller(request, KubernetesJobs)
    results = delete_matching_jobs(project_name(project), selected, jobs, dry_run=query.dry_run)
    request.notes["dryRun"] = query.dry_run
    request.notes["deleted"] = [result.name for result in results.data if result.ok]
    request.notes["failed"] = [result.name for result in results.data if not result.ok]
    linked = [result.linked(request.docs_url) for result in results.data]
    return Response(msgspec.structs.replace(results, data=linked))
