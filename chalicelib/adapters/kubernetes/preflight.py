"""Jobs that are made only if the cluster would take their pods, which it otherwise tells when nobody is looking.

The pod is tried in a dry run by a user of its own, not by the caller: whoever may create pods may create any, and
callers may create Jobs alone. Its refusal is told only to those who may create the Job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from chalicelib.adapters.kubernetes.api_client import ApiRequest, parameters
from chalicelib.adapters.kubernetes.caller_session import core_path
from chalicelib.adapters.kubernetes.errors import OK, error_from
from chalicelib.adapters.kubernetes.jobs import KubernetesJobs
from chalicelib.domain.errors import InvalidJob, QuotaExceeded, RefusedByCluster, ResearcherError
from chalicelib.domain.manifest.preflight import is_queued, never_fits, pod_of

if TYPE_CHECKING:
    from chalicelib.adapters.kubernetes.cluster import Cluster
    from chalicelib.deadline import Deadline
    from chalicelib.domain.caller import Caller
    from chalicelib.domain.kubernetes.jobs import Job, Manifest
    from chalicelib.domain.names import ProjectName

_NO_DRY_RUN = 400
"""An admission webhook that cannot take part in a dry run: then nobody knows, and the Job is made."""


class PreflightJobs(KubernetesJobs):
    """A caller's Jobs; *strict* ones have room in their quota now, others could ever have it."""

    def __init__(self, cluster: Cluster, caller: Caller, deadline: Deadline, *, strict: bool) -> None:
        super().__init__(cluster, caller, deadline)
        self._strict = strict

    def create(self, project: ProjectName, manifest: Manifest) -> Job | None:
        """The Job made from *manifest*, or None when its name is taken; the cluster's words where no pod would be."""
        refused = self._refusal(project, manifest)
        if refused is None:
            return super().create(project, manifest)
        # As the caller, who may have no right to hear of it, or may have made this very Job before.
        if super().preview(project, manifest) is None:
            return None
        raise refused

    def preview(self, project: ProjectName, manifest: Manifest) -> Manifest | None:
        """The Job as the cluster would store it, or None when its name is taken; refused as `create` would be."""
        refused = self._refusal(project, manifest)
        preview = super().preview(project, manifest)
        if preview is not None and refused is not None:
            raise refused
        return preview

    def _refusal(self, project: ProjectName, manifest: Manifest) -> ResearcherError | None:
        """Why the cluster would make no pod of the Job; None where it would, or where nobody knows."""
        request = ApiRequest(
            "POST", core_path(project, "pods"), parameters(dryRun="All"), msgspec.json.encode(pod_of(manifest))
        )
        response = self._cluster.send_as_preflight(self._caller, request, self._deadline)
        if response.status in (*OK, _NO_DRY_RUN):
            return None
        refused = error_from(response)
        if isinstance(refused, QuotaExceeded):
            waits = not never_fits(refused.detail) and (not self._strict or is_queued(manifest))
            return None if waits else refused
        return refused if isinstance(refused, (InvalidJob, RefusedByCluster)) else None


def jobs_with_preflight(mode: str, cluster: Cluster, caller: Caller, deadline: Deadline) -> KubernetesJobs:
    """The caller's Jobs, with a preflight as the setting *mode* says: on, strict or off."""
    if mode == "off":
        return KubernetesJobs(cluster, caller, deadline)
    return PreflightJobs(cluster, caller, deadline, strict=mode == "strict")
