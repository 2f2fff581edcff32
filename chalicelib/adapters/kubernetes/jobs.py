"""The Jobs of a cluster and their pods, as one caller reaches them until one deadline."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import msgspec

from chalicelib.adapters.kubernetes.api_client import MERGE_PATCH, ApiRequest, ApiResponse, parameters
from chalicelib.adapters.kubernetes.caller_session import core_path, jobs_path
from chalicelib.adapters.kubernetes.errors import OK, already_exists, decode_object_or_raise, error_from
from chalicelib.adapters.kubernetes.pagination import Pages
from chalicelib.domain.errors import ClusterUnavailable, JobNotFound
from chalicelib.domain.kubernetes.jobs import Job, JobList, Manifest, without_none
from chalicelib.domain.kubernetes.pods import Pod, PodList
from chalicelib.domain.kubernetes.selectors import pod_selector
from chalicelib.domain.submission.listed_secrets import listed_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chalicelib.domain.names import JobName, ProjectName

NAMES_IN_A_SELECTOR = 100
"""Of at most 63 characters each, so that a URL stays below 8 KiB."""
MAX_PODS = 1000
UNFINISHED = "status.phase!=Succeeded"
"""Pods that succeeded stay as long as their Job, which may have made 100,000 of them; no view needs them."""
FIELD_MANAGER = "researcher-api"
MAX_CONFLICTS = 3
"""Times a creation is sent that meets others: quotas are counted by versions, and one of two writers loses."""

PAUSE_SECONDS = (0.02, 0.1)
"""Between attempts that met a conflict."""

_JITTER = random.SystemRandom()
_STRICT = parameters(fieldValidation="Strict", fieldManager=FIELD_MANAGER)
"""What every write says: a field that the cluster does not know is refused, not dropped."""


class KubernetesJobs(Pages):
    """The port of the use cases."""

    def listed_secrets(self, project: ProjectName) -> frozenset[str]:
        """Return the Secrets that Jobs of the Project may name; none if it does not exist. Read as the API itself."""
        return listed_secrets(self._cluster.namespace(project, self._deadline))

    def create(self, project: ProjectName, manifest: Manifest) -> Job | None:
        """The Job made from *manifest*, or None when its name is taken."""
        response = self._post(jobs_path(project), manifest)
        return None if already_exists(response) else decode_object_or_raise(response, Job)

    def preview(self, project: ProjectName, manifest: Manifest) -> Manifest | None:
        """The Job as the cluster would store it, or None when its name is taken; nothing is made."""
        response = self._post(jobs_path(project), manifest, *parameters(dryRun="All"))
        return None if already_exists(response) else decode_object_or_raise(response, Manifest)

    def create_service(self, project: ProjectName, manifest: Manifest) -> None:
        """Makes the Service of *manifest*, unless it is there already."""
        response = self._post(core_path(project, "services"), manifest)
        if response.status not in OK and not already_exists(response):
            raise error_from(response)

    def patch(self, project: ProjectName, name: JobName, change: Manifest) -> Job | None:
        """The Job as the merge patch *change* leaves it, or None when it is gone, or another than *change* is for."""
        response = self._send(
            ApiRequest("PATCH", f"{jobs_path(project)}/{name}", _STRICT, msgspec.json.encode(change), MERGE_PATCH)
        )
        if response.status == 409:  # noqa: PLR2004 - Conflict
            self._back_off()
        return None if response.status in (404, 409) else decode_object_or_raise(response, Job)

    def find(self, project: ProjectName, name: JobName) -> Job | None:
        """The Job of that name, or None."""
        response = self._send(ApiRequest("GET", f"{jobs_path(project)}/{name}"))
        return None if response.status == 404 else decode_object_or_raise(response, Job)  # noqa: PLR2004 - NotFound

    def page(self, project: ProjectName, selector: str, limit: int, token: str | None) -> JobList:
        """The next Jobs that match *selector*, at most *limit*, in the order of their names."""
        return self._page(jobs_path(project), JobList, limit, token, labelSelector=selector)

    def pods(self, project: ProjectName, jobs: Sequence[Job]) -> list[Pod]:
        """Pods of *jobs* that have not succeeded, MAX_PODS for each hundred of them: enough to say why they wait."""
        found: list[Pod] = []
        path = core_path(project, "pods")
        for selector in filter(None, map(pod_selector, _chunks(jobs))):
            found += self._page(path, PodList, MAX_PODS, labelSelector=selector, fieldSelector=UNFINISHED).items
        return found

    def delete(self, project: ProjectName, name: JobName, uid: str | None, version: str | None) -> None:
        """Delete the Job and its pods, if it still has that uid and resource version; without a uid, the one there now.

        The uid is always sent: a DELETE that is sent again, after its response was lost, must not delete another Job
        that has taken the name meanwhile.
        """
        found = None if uid or version else self._existing(project, name)
        preconditions = {"uid": uid or (found and found.metadata.uid), "resourceVersion": version}
        # Without a policy batch/v1 leaves the pods running, and their GPUs taken.
        options = {"propagationPolicy": "Background", "preconditions": without_none(preconditions)}
        response = self._send(ApiRequest("DELETE", f"{jobs_path(project)}/{name}", body=msgspec.json.encode(options)))
        # The Job was there, or an attempt of ours may have deleted it: now it is gone, or another one has its name.
        ours = found is not None or response.repeated
        if response.status == 404 and not ours:  # noqa: PLR2004 - NotFound
            raise JobNotFound.named(project, name)
        replaced = response.status == 409 and ours and not version  # noqa: PLR2004 - Conflict
        if response.status not in (*OK, 404) and not replaced:
            raise error_from(response)

    def _existing(self, project: ProjectName, name: JobName) -> Job:
        found = self.find(project, name)
        if found is None:
            raise JobNotFound.named(project, name)
        return found

    def _post(self, path: str, manifest: Manifest, *query: tuple[str, str]) -> ApiResponse:
        request = ApiRequest("POST", path, _STRICT + query, msgspec.json.encode(manifest))
        for _ in range(MAX_CONFLICTS):
            response = self._send(request)
            if response.status != 409 or already_exists(response):  # noqa: PLR2004 - Conflict
                return response
            self._back_off()
        raise ClusterUnavailable("Too many Jobs come to this Project at once. Try again.", retry_after=1)

    def _back_off(self) -> None:
        """Wait for a short random time, as callers that met once would meet again at the next attempt."""
        time.sleep(min(_JITTER.uniform(*PAUSE_SECONDS), self._deadline.remaining))


def _chunks(jobs: Sequence[Job]) -> Iterator[Sequence[Job]]:
    return (jobs[start : start + NAMES_IN_A_SELECTOR] for start in range(0, len(jobs), NAMES_IN_A_SELECTOR))
