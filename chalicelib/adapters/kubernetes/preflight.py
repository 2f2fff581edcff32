"""Preflight: create a Job only if the cluster would admit its pods.

Kubernetes accepts a Job whose pods violate a quota or a policy, and only records events when their creation fails.

1. The Job's pod is created in a dry run, as the user `researcher:preflight`. Callers may create Jobs and not pods,
   because a caller who may create pods could run any pod.
2. If the cluster admits the pod, or cannot decide in a dry run, the Job is created.
3. If it rejects the pod, the Job is created in a dry run as the caller. Only if this succeeds, the caller may create
   the Job and gets the error of the pod; otherwise the caller gets the error of the Job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from chalicelib.adapters.kubernetes.api_request import ApiRequest, parameters
from chalicelib.adapters.kubernetes.caller_session import core_path
from chalicelib.adapters.kubernetes.errors import OK, cannot_dry_run, error_from
from chalicelib.adapters.kubernetes.jobs import KubernetesJobs
from chalicelib.domain.errors import InvalidJob, QuotaExceeded, RefusedByCluster, ResearcherError
from chalicelib.domain.manifest.preflight import is_queued, never_fits, pod_of

if TYPE_CHECKING:
    from chalicelib.adapters.kubernetes.cluster import Cluster
    from chalicelib.deadline import Deadline
    from chalicelib.domain.caller import Caller
    from chalicelib.domain.kubernetes.jobs import Job, Manifest
    from chalicelib.domain.names import ProjectName


class PreflightJobs(KubernetesJobs):
    """Jobs with a preflight. If *strict*, the pods have to fit in the quota now, otherwise in the empty quota."""

    def __init__(self, cluster: Cluster, caller: Caller, deadline: Deadline, *, strict: bool) -> None:
        super().__init__(cluster, caller, deadline)
        self._strict = strict

    def create(self, project: ProjectName, manifest: Manifest) -> Job | None:
        """Create the Job; return it, or None if the name exists already. Raise the error of the preflight, if any."""
        error = self._pod_error(project, manifest)
        if error is None:
            return super().create(project, manifest)
        # The caller may not have permission to create the Job, or may have created this Job before.
        if super().preview(project, manifest) is None:
            return None
        raise error

    def preview(self, project: ProjectName, manifest: Manifest) -> Manifest | None:
        """Create the Job in a dry run; raise the error of the preflight as `create` would."""
        error = self._pod_error(project, manifest)
        preview = super().preview(project, manifest)
        if preview is not None and error is not None:
            raise error
        return preview

    def _pod_error(self, project: ProjectName, manifest: Manifest) -> ResearcherError | None:
        """Return why the cluster would never admit a pod of the Job; None if it would, or if this is unknown."""
        request = ApiRequest(
            "POST", core_path(project, "pods"), parameters(dryRun="All"), msgspec.json.encode(pod_of(manifest))
        )
        response = self._cluster.send_as_preflight(self._caller, request, self._deadline)
        # Without the verdict of a webhook that does not support dry runs, the Job is created without a preflight.
        if response.status in OK or cannot_dry_run(response):
            return None
        error = error_from(response)
        if isinstance(error, QuotaExceeded):
            can_wait = not never_fits(error.detail) and (not self._strict or is_queued(manifest))
            return None if can_wait else error
        return error if isinstance(error, (InvalidJob, RefusedByCluster)) else None


def jobs_with_preflight(mode: str, cluster: Cluster, caller: Caller, deadline: Deadline) -> KubernetesJobs:
    """Return the caller's Jobs with the preflight *mode* of the settings: on, strict or off."""
    if mode == "off":
        return KubernetesJobs(cluster, caller, deadline)
    return PreflightJobs(cluster, caller, deadline, strict=mode == "strict")
