"""The Jobs of the cluster and their pods, as the caller."""

from __future__ import annotations

import random
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from chalicelib.adapters.kubernetes.api_request import MERGE_PATCH, ApiRequest, ApiResponse, parameters
from chalicelib.adapters.kubernetes.caller_session import core_path, jobs_path
from chalicelib.adapters.kubernetes.errors import OK, already_exists, decode_object_or_raise, error_from
from chalicelib.adapters.kubernetes.pagination import Pages
from chalicelib.domain.errors import ClusterUnavailable, JobNotFound
from chalicelib.domain.failure_reasons import FailureReason, note_reason
from chalicelib.domain.kubernetes.jobs import Job, JobList, Manifest, without_none
from chalicelib.domain.kubernetes.pods import Pod, PodList
from chalicelib.domain.kubernetes.selectors import pod_selector
from chalicelib.domain.submission.listed_secrets import listed_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chalicelib.domain.names import JobName, ProjectName

NAMES_IN_A_SELECTOR = 100
"""Names have at most 63 characters, so the URL stays below 8 KiB."""
MAX_PODS = 1000
UNFINISHED = "status.phase!=Succeeded"
"""A field selector: a Job may have 100,000 pods that succeeded, which no view needs."""
FIELD_MANAGER = "researcher-api"
MAX_CONFLICTS = 3
"""Attempts on 409 Conflict: concurrent creations race for the ResourceQuota's resource version."""

PAUSE_SECONDS = (0.02, 0.1)
"""The range of the random pause after a conflict."""

_JITTER = random.SystemRandom()
_STRICT = parameters(fieldValidation="Strict", fieldManager=FIELD_MANAGER)
"""The query of every write: the cluster rejects unknown fields instead of dropping them."""


class KubernetesJobs(Pages):
    """Implements Jobs."""

    def listed_secrets(self, project: ProjectName) -> frozenset[str]:
        """Return the Secrets that Jobs of the Project may use; read as the API itself. None if it does not exist."""
        return listed_secrets(self._cluster.namespace(project, self._deadline))

    def create(self, project: ProjectName, manifest: Manifest) -> Job | None:
        """Create the Job; return it, or None if the name exists already."""
        response = self._post(jobs_path(project), manifest)
        return None if already_exists(response) else decode_object_or_raise(response, Job)

    def preview(self, project: ProjectName, manifest: Manifest) -> Manifest | None:
        """Create the Job in a dry run; return it as the cluster would store it, or None if the name exists already."""
        response = self._post(jobs_path(project), manifest, *parameters(dryRun="All"))
        return None if already_exists(response) else decode_object_or_raise(response, Manifest)

    def create_service(self, project: ProjectName, manifest: Manifest) -> None:
        """Create the Service, unless it exists already."""
        response = self._post(core_path(project, "services"), manifest)
        if response.status not in OK and not already_exists(response):
            raise error_from(response)

    def patch(self, project: ProjectName, name: JobName, change: Manifest) -> Job | None:
        """Apply the merge patch *change*; return the Job, or None if it is gone or conflicts with *change*."""
        response = self._send(
            ApiRequest("PATCH", f"{jobs_path(project)}/{name}", _STRICT, msgspec.json.encode(change), MERGE_PATCH)
        )
        if response.status == HTTPStatus.CONFLICT:
            self._back_off()
        gone = response.status in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
        return None if gone else decode_object_or_raise(response, Job)

    def find(self, project: ProjectName, name: JobName) -> Job | None:
        """Return the Job, or None."""
        response = self._send(ApiRequest("GET", f"{jobs_path(project)}/{name}"))
        return None if response.status == HTTPStatus.NOT_FOUND else decode_object_or_raise(response, Job)

    def page(self, project: ProjectName, selector: str, limit: int, token: str | None) -> JobList:
        """Return the page of Jobs after *token* that match *selector*, at most *limit*, sorted by name."""
        return self._page(jobs_path(project), JobList, limit, token, labelSelector=selector)

    def pods(self, project: ProjectName, jobs: Sequence[Job]) -> list[Pod]:
        """Return pods of *jobs* that have not succeeded, at most MAX_PODS for each hundred Jobs.

        Of a single Job the pods that have succeeded are returned too, unless there are more than MAX_PODS: they know
        when the Job started.
        """
        pods: list[Pod] = []
        for selector in filter(None, map(pod_selector, _chunks(jobs))):
            page = self._pods(project, selector, None if len(jobs) == 1 else UNFINISHED)
            if page.metadata.continue_ and len(jobs) == 1:
                page = self._pods(project, selector, UNFINISHED)
            pods += page.items
        return pods

    def _pods(self, project: ProjectName, selector: str, fields: str | None) -> PodList:
        path = core_path(project, "pods")
        return self._page(path, PodList, MAX_PODS, labelSelector=selector, fieldSelector=fields)

    def delete(
        self, project: ProjectName, name: JobName, uid: str | None, version: str | None, *, dry_run: bool = False
    ) -> None:
        """Delete the Job and its pods, if it still has this uid and resource version; in a dry run only check that.

        Without both, the Job is read first and its uid is sent: a retry of the DELETE, after its response was lost,
        must not delete a new Job of the same name.
        """
        found = None if uid or version else self._existing(project, name)
        preconditions = {"uid": uid or (found and found.metadata.uid), "resourceVersion": version}
        # Without a propagation policy batch/v1 would orphan the pods, which keep their GPUs.
        options: Manifest = {"propagationPolicy": "Background", "preconditions": without_none(preconditions)}
        options |= {"dryRun": ["All"]} if dry_run else {}
        response = self._send(ApiRequest("DELETE", f"{jobs_path(project)}/{name}", body=msgspec.json.encode(options)))
        # If the Job existed, or an earlier attempt may have deleted it, a 404 or a new Job of its name is a success.
        existed = found is not None or response.repeated
        if response.status == HTTPStatus.NOT_FOUND and not existed:
            raise JobNotFound.named(project, name)
        replaced = response.status == HTTPStatus.CONFLICT and existed and not version
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
            if response.status != HTTPStatus.CONFLICT or already_exists(response):
                return response
            self._back_off()
        error = ClusterUnavailable("Concurrent submissions to this Project kept conflicting. Try again.", retry_after=1)
        raise note_reason(error, FailureReason.CONFLICT)

    def _back_off(self) -> None:
        """Wait for a short random time, so that conflicting callers do not retry at the same time."""
        time.sleep(min(_JITTER.uniform(*PAUSE_SECONDS), self._deadline.remaining))


def _chunks(jobs: Sequence[Job]) -> Iterator[Sequence[Job]]:
    return (jobs[start : start + NAMES_IN_A_SELECTOR] for start in range(0, len(jobs), NAMES_IN_A_SELECTOR))
