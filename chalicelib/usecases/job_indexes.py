"""List the indexes of a Job."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated

import msgspec

from chalicelib.domain.job.index_list import IndexView, counts_failed_indexes, index_page, index_view
from chalicelib.domain.job.index_list import job_indexes as indexes_of
from chalicelib.domain.kubernetes.completion_indexes import index_of
from chalicelib.usecases.get_job import require_job

if TYPE_CHECKING:
    from chalicelib.domain.job.index_list import IndexQuery
    from chalicelib.domain.kubernetes.pods import Pod
    from chalicelib.domain.names import JobName, ProjectName
    from chalicelib.usecases.ports import Jobs, Pods


class IndexPage(msgspec.Struct, frozen=True, rename="camel"):
    """A page of indexes. `nextPageToken` is null on the last page."""

    data: Annotated[list[IndexView], msgspec.Meta(description="The indexes in ascending order.")]
    next_page_token: Annotated[str | None, msgspec.Meta(description="The `pageToken` of the next page, or null.")] = (
        None
    )


def job_indexes(project: ProjectName, name: JobName, query: IndexQuery, jobs: Jobs, pods: Pods) -> IndexPage:
    """Return a page of the Job's indexes; an empty one if the Job is not Indexed."""
    job = require_job(project, name, jobs)
    failed = [] if counts_failed_indexes(job) else [pod for pod in pods.failed(project, job) if pod.is_of(job)]
    found = indexes_of(job, failed)
    page, token = index_page(found, query)
    by_index: dict[int | None, list[Pod]] = defaultdict(list)
    for pod in pods.of_indexes(project, job, page) if page else ():
        if pod.is_of(job):
            by_index[index_of(pod)].append(pod)
    return IndexPage([index_view(job, index, found.status(index), by_index[index]) for index in page], token)
