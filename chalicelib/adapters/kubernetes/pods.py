"""The pods of the cluster, their logs, and the events of Jobs and pods, as the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.adapters.http import bounded_body
from chalicelib.adapters.kubernetes.caller_session import core_path
from chalicelib.adapters.kubernetes.errors import ResponseTooLarge
from chalicelib.adapters.kubernetes.job_pods import JobPods
from chalicelib.adapters.kubernetes.jobs import MAX_PODS
from chalicelib.adapters.kubernetes.log_request import log_request, require_log
from chalicelib.domain.kubernetes.events import Event, EventList
from chalicelib.domain.kubernetes.pods import Pod, PodList
from chalicelib.domain.kubernetes.selectors import pod_selector
from chalicelib.domain.labels import COMPLETION_INDEX_LABEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.job.log_query import LogQuery
    from chalicelib.domain.job.logs import ContainerRun
    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.names import ProjectName

SCAN_BYTES = 16 * 2**20
"""How much of a log is read to find its end: more than a kubelet's file, which it rotates at 10 MiB by default."""
MAX_EVENTS = 200
"""For each object. The cluster aggregates repeated events, and deletes events after an hour."""


class KubernetesPods(JobPods):
    """Implements Pods."""

    def of_job(self, project: ProjectName, job: Job, index: int | None = None) -> list[Pod]:
        """Return the pods of *job*, or of its *index*; of more than MAX_PODS those that have not succeeded first."""
        selector = pod_selector([job])
        if selector is None:
            return []
        selector += "" if index is None else f",{COMPLETION_INDEX_LABEL}={index}"
        return self._job_pods(project, selector, MAX_PODS)

    def of_indexes(self, project: ProjectName, job: Job, indexes: Sequence[int]) -> list[Pod]:
        """Return the pods of these *indexes* of *job*."""
        return self._all_pods(project, job, f",{COMPLETION_INDEX_LABEL} in ({','.join(map(str, indexes))})")

    def failed(self, project: ProjectName, job: Job) -> list[Pod]:
        """Return the failed pods of *job*."""
        return self._all_pods(project, job, fields="status.phase=Failed")

    def log(self, project: ProjectName, attempt: ContainerRun, query: LogQuery) -> bytes:
        """Return the end of the log of *attempt* that *query* selects: its limit of bytes and the byte before, if any.

        The kubelet selects lines, and its `limitBytes` counts from the first of them. Lines can have any length: if
        those of `tail` exceed SCAN_BYTES, the number that has enough bytes is found by bisection.
        """
        few, many = 0, query.tail
        lines = many
        while True:
            try:
                log = self._log_end(project, attempt, query, lines, SCAN_BYTES if lines > few + 1 else None)
            except ResponseTooLarge:
                many = lines
            else:
                if lines == many or len(log) > query.limit_bytes:
                    return log
                few = lines
            lines = (few + many + 1) // 2

    def _log_end(
        self, project: ProjectName, attempt: ContainerRun, query: LogQuery, lines: int, limit: int | None
    ) -> bytes:
        """Return the end of the last *lines*; ResponseTooLarge if they have more than *limit* bytes."""
        request = log_request(
            project,
            attempt,
            tailLines=lines,
            sinceSeconds=query.since_seconds,
            timestamps="true" if query.timestamps else None,
        )
        keep = query.limit_bytes + 1
        response = self._send(request, lambda body, deadline: bounded_body.tail(body, deadline, keep, limit))
        return require_log(response, attempt)

    def events(self, project: ProjectName, uid: str) -> list[Event]:
        """Return the events of the object with *uid*."""
        return self._events(project, f"involvedObject.uid={uid}")

    def pod_events(self, project: ProjectName, pod: str) -> list[Event]:
        """Return the events of the pod with this name, which may be deleted: pod names are not used again."""
        return self._events(project, f"involvedObject.kind=Pod,involvedObject.name={pod}")

    def _all_pods(self, project: ProjectName, job: Job, labels: str = "", fields: str | None = None) -> list[Pod]:
        """Return the pods of *job* that both selectors match, of all pages."""
        selector, path = pod_selector([job]), core_path(project, "pods")
        pods: list[Pod] = []
        token: str | None = None
        while selector:
            page = self._page(path, PodList, MAX_PODS, token, labelSelector=selector + labels, fieldSelector=fields)
            pods += page.items
            token = page.metadata.continue_
            if not token:
                break
        return pods

    def _events(self, project: ProjectName, fields: str) -> list[Event]:
        return self._page(core_path(project, "events"), EventList, MAX_EVENTS, fieldSelector=fields).items
