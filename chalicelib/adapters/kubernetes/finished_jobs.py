"""Reads what a Receipt is made of: the stored Job, its pods, and the log tail of a pod.

Logs are read one at a time, and no more after LOG_FAILURES failures: a log on a lost node ends in a time-out, which
must not use up the time of the cleanup nor open the circuit breaker.
"""

from __future__ import annotations

from http import HTTPStatus
from threading import Lock
from typing import TYPE_CHECKING

from chalicelib.adapters.http import bounded_body
from chalicelib.adapters.kubernetes.api_request import ApiRequest, ApiResponse, parameters
from chalicelib.adapters.kubernetes.caller_session import core_path, jobs_path
from chalicelib.adapters.kubernetes.errors import decode_object_or_raise
from chalicelib.adapters.kubernetes.job_pods import JobPods
from chalicelib.domain.errors import ResearcherError
from chalicelib.domain.kubernetes.jobs import Manifest
from chalicelib.domain.kubernetes.selectors import pod_selector
from chalicelib.domain.names import JobName, ProjectName, job_name

if TYPE_CHECKING:
    from chalicelib.adapters.kubernetes.cluster import Cluster
    from chalicelib.deadline import Deadline
    from chalicelib.domain.caller import Caller
    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.kubernetes.pods import Pod

MAX_PODS = 1000
LOG_LINES = 40
LOG_BYTES = 65536
LOG_SECONDS = 3.0
LOG_FAILURES = 3
"""Failed reads after which no more logs are read; less than open the circuit breaker."""


class KubernetesFinishedJobs(JobPods):
    """Implements FinishedJobs and FinishedPods."""

    def __init__(self, cluster: Cluster, caller: Caller, deadline: Deadline) -> None:
        super().__init__(cluster, caller, deadline)
        self._log_lock = Lock()
        self._log_failures = 0

    def manifest(self, project: ProjectName, name: JobName) -> Manifest | None:
        """Return the Job as the cluster stores it, or None."""
        response = self._send(ApiRequest("GET", f"{jobs_path(project)}/{name}"))
        return None if response.status == HTTPStatus.NOT_FOUND else decode_object_or_raise(response, Manifest)

    def pods(self, project: ProjectName, job: Job) -> list[Pod]:
        """Return the pods of *job* in any phase; of more than MAX_PODS those that have not succeeded first."""
        selector = pod_selector([job])
        return self._job_pods(project, selector, MAX_PODS) if selector else []

    def log_tail(self, project: ProjectName, pod: Pod, container: str) -> str | None:
        """Return the last lines of the log of *container*, or None if it is not available."""
        with self._log_lock:
            if self._log_failures >= LOG_FAILURES:
                return None
            try:
                response = self._log(project, pod, container)
            except ResearcherError:
                self._log_failures += 1
                return None
        return response.body.decode("utf-8", "replace") if response.status == HTTPStatus.OK else None

    def _log(self, project: ProjectName, pod: Pod, container: str) -> ApiResponse:
        # The kubelet's limitBytes counts from the first line: the end of the log would be left out.
        query = parameters(container=container, tailLines=LOG_LINES)
        request = ApiRequest(
            "GET", f"{core_path(project, 'pods')}/{job_name(pod.metadata.name)}/log", query, is_proxied=True
        )
        deadline = self._deadline.within(LOG_SECONDS)
        return self._cluster.send_as(
            self._caller, request, deadline, lambda body, end: bounded_body.tail(body, end, LOG_BYTES, None)
        )
