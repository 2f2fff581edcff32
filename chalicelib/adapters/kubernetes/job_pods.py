"""Reads the pods of one Job; of a Job with very many pods, those that have not succeeded take precedence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.adapters.kubernetes.caller_session import core_path
from chalicelib.adapters.kubernetes.jobs import UNFINISHED
from chalicelib.adapters.kubernetes.pagination import Pages
from chalicelib.domain.kubernetes.pods import Pod, PodList

if TYPE_CHECKING:
    from chalicelib.domain.names import ProjectName


class JobPods(Pages):
    """Reads the pods that a label selector matches."""

    def _job_pods(self, project: ProjectName, selector: str, limit: int) -> list[Pod]:
        """Return the pods; of more than *limit*, some of those that succeeded are left out."""
        path = core_path(project, "pods")
        page = self._page(path, PodList, limit, labelSelector=selector)
        pods = page.items
        if page.metadata.continue_:
            pods = self._page(path, PodList, limit, labelSelector=selector, fieldSelector=UNFINISHED).items + pods
        return list({pod.metadata.uid: pod for pod in pods}.values())
