"""The pods of a cluster, their logs, and the events about Jobs and pods, as one caller reaches them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.adapters.kubernetes.api_client import ApiRequest, parameters
from chalicelib.adapters.kubernetes.caller_session import core_path
from chalicelib.adapters.kubernetes.errors import error_from
from chalicelib.adapters.kubernetes.jobs import MAX_PODS, UNFINISHED
from chalicelib.adapters.kubernetes.pagination import Pages
from chalicelib.domain.errors import JobNotStarted, LogGone
from chalicelib.domain.job.logs import LOG_GONE
from chalicelib.domain.kubernetes.events import Event, EventList
from chalicelib.domain.kubernetes.pods import Pod, PodList
from chalicelib.domain.kubernetes.selectors import pod_selector
from chalicelib.domain.labels import COMPLETION_INDEX_LABEL

if TYPE_CHECKING:
    from chalicelib.domain.job.logs import ContainerRun, LogQuery
    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.names import ProjectName

READ_BYTES = 4 * 2**20
"""How much of a log is read at most, from the first line that was asked for: its end is what is shown."""
MAX_EVENTS = 200
"""For each object; the cluster counts what repeats, and forgets all after an hour."""


class KubernetesPods(Pages):
    """The port of the use cases."""

    def of_job(self, project: ProjectName, job: Job, index: int | None = None) -> list[Pod]:
        """The pods of *job*, or those of *index*; of more than a page all that have not succeeded, and some others."""
        selector = pod_selector([job])
        if selector is None:
            return []
        selector += "" if index is None else f",{COMPLETION_INDEX_LABEL}={index}"
        page = self._pods(project, selector)
        found = page.items
        if page.metadata.continue_:
            found = self._pods(project, selector, UNFINISHED).items + found
        return list({pod.metadata.uid: pod for pod in found}.values())

    def log(self, project: ProjectName, attempt: ContainerRun, query: LogQuery) -> bytes:
        """What *attempt* printed, as *query* wants it; its last lines may be missing where they are many MB."""
        asked = parameters(
            container=attempt.container,
            tailLines=query.tail,
            sinceSeconds=query.since_seconds,
            limitBytes=READ_BYTES,
            previous="true" if attempt.restarted else None,
            timestamps="true" if query.timestamps else None,
        )
        response = self._send(ApiRequest("GET", f"{core_path(project, 'pods')}/{attempt.pod}/log", asked))
        match response.status:
            case 200 | 204:
                return response.body
            case 400:
                raise JobNotStarted("The container has not started, or was removed meanwhile. Ask again later.")
            case 404:
                raise LogGone(LOG_GONE)
        raise error_from(response)

    def events(self, project: ProjectName, uid: str) -> list[Event]:
        """The events about the object with *uid*."""
        return self._events(project, f"involvedObject.uid={uid}")

    def pod_events(self, project: ProjectName, pod: str) -> list[Event]:
        """The events about the pod of that name, which may be gone: no other pod gets its name."""
        return self._events(project, f"involvedObject.kind=Pod,involvedObject.name={pod}")

    def _pods(self, project: ProjectName, selector: str, fields: str | None = None) -> PodList:
        path = core_path(project, "pods")
        return self._page(path, PodList, MAX_PODS, labelSelector=selector, fieldSelector=fields)

    def _events(self, project: ProjectName, fields: str) -> list[Event]:
        return self._page(core_path(project, "events"), EventList, MAX_EVENTS, fieldSelector=fields).items
