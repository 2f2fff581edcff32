"""What the cluster still has of a finished Job: the Job as it is stored, its pods, and the end of a pod's log.

Logs are read one at a time, and no more after some could not be had: a node that is gone answers nobody, and waiting
for it must neither take a cleanup's time nor look like a cluster that is down.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from chalicelib.adapters.kubernetes.api_client import ApiRequest, ApiResponse, parameters
from chalicelib.adapters.kubernetes.caller_session import core_path, jobs_path
from chalicelib.adapters.kubernetes.errors import decode_object_or_raise
from chalicelib.adapters.kubernetes.pagination import Pages
from chalicelib.domain.errors import ResearcherError
from chalicelib.domain.kubernetes.jobs import Manifest
from chalicelib.domain.kubernetes.pods import Pod, PodList
from chalicelib.domain.kubernetes.selectors import pod_selector
from chalicelib.domain.names import JobName, ProjectName, job_name

if TYPE_CHECKING:
    from chalicelib.adapters.kubernetes.cluster import Cluster
    from chalicelib.deadline import Deadline
    from chalicelib.domain.caller import Caller
    from chalicelib.domain.kubernetes.jobs import Job

MAX_PODS = 1000
LOG_LINES = 40
LOG_BYTES = 65536
LOG_SECONDS = 3.0
LOG_FAILURES = 3
"""Logs in a cleanup that may be missed before no more are asked for; less than open the cluster's breaker."""


class KubernetesFinishedJobs(Pages):
    """The port of the cleanup."""

    def __init__(self, cluster: Cluster, caller: Caller, deadline: Deadline) -> None:
        super().__init__(cluster, caller, deadline)
        self._one_log = Lock()
        self._missed = 0

    def manifest(self, project: ProjectName, name: JobName) -> Manifest | None:
        """The Job of that name as the cluster stores it, or None."""
        response = self._send(ApiRequest("GET", f"{jobs_path(project)}/{name}"))
        return None if response.status == 404 else decode_object_or_raise(response, Manifest)  # noqa: PLR2004 - NotFound

    def pods(self, project: ProjectName, job: Job) -> list[Pod]:
        """Get the pods of *job*, at most MAX_PODS, however they ended."""
        selector, path = pod_selector([job]), core_path(project, "pods")
        return self._page(path, PodList, MAX_PODS, labelSelector=selector).items if selector else []

    def log_tail(self, project: ProjectName, pod: Pod) -> str | None:
        """The last lines of the pod's first container, or None when they cannot be had."""
        with self._one_log:
            if self._missed >= LOG_FAILURES:
                return None
            try:
                response = self._log(project, pod)
            except ResearcherError:
                self._missed += 1
                return None
        return response.body.decode("utf-8", "replace") if response.status == 200 else None  # noqa: PLR2004 - OK

    def _log(self, project: ProjectName, pod: Pod) -> ApiResponse:
        container = next((one.name for one in pod.spec.containers), None)
        query = parameters(container=container, tailLines=LOG_LINES, limitBytes=LOG_BYTES)
        request = ApiRequest("GET", f"{core_path(project, 'pods')}/{job_name(pod.metadata.name)}/log", query)
        return self._cluster.send_as(self._caller, request, self._deadline.within(LOG_SECONDS))
