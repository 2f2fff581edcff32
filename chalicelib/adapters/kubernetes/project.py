"""A Project of the cluster, as the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.adapters.kubernetes.api_request import ApiRequest
from chalicelib.adapters.kubernetes.caller_session import core_path
from chalicelib.adapters.kubernetes.errors import FORBIDDEN, decode_or_raise
from chalicelib.adapters.kubernetes.pagination import Pages
from chalicelib.domain.errors import Forbidden
from chalicelib.domain.kubernetes.pods import Pod, PodList
from chalicelib.domain.kubernetes.quotas import QuotaList, ResourceQuota
from chalicelib.domain.labels import JOB_NAME_LABEL, PROJECT_LABEL

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.jobs import Namespace
    from chalicelib.domain.names import ProjectName

MAX_PODS = 1000
"""Twice the pods that the quota of a Project allows by default."""
ACTIVE = "status.phase!=Succeeded,status.phase!=Failed"


class KubernetesProject(Pages):
    """Implements Project and Projects."""

    def verbs(self, project: ProjectName) -> list[str]:
        """Return the caller's verbs on Jobs; Forbidden if `list` is not one of them."""
        verbs = self._cluster.verbs_on_jobs(project, self._caller, self._deadline)
        if "list" not in verbs:
            raise Forbidden(FORBIDDEN)
        return verbs

    def namespace(self, project: ProjectName) -> Namespace:
        """Return the Project's namespace; Forbidden if it does not exist or does not have the Project label."""
        namespace = self._cluster.namespace(project, self._deadline)
        if namespace is None or namespace.metadata.labels.get(PROJECT_LABEL) != project:
            raise Forbidden(FORBIDDEN)
        return namespace

    def quotas(self, project: ProjectName) -> list[ResourceQuota]:
        """Return the Project's quotas."""
        request = ApiRequest("GET", core_path(project, "resourcequotas"))
        return decode_or_raise(self._send(request), QuotaList).items

    def pods(self, project: ProjectName) -> tuple[list[Pod], bool]:
        """Return pods of Jobs that have not ended, and whether these are all of them."""
        path = core_path(project, "pods")
        page = self._page(path, PodList, MAX_PODS, labelSelector=JOB_NAME_LABEL, fieldSelector=ACTIVE)
        return page.items, not page.metadata.continue_
