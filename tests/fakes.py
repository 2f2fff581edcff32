"""Fakes that hold state, in place of what is outside."""

from __future__ import annotations

import base64
import binascii
import threading
from collections import defaultdict, deque
from typing import TYPE_CHECKING

import msgspec

from chalicelib.domain.errors import Forbidden, InvalidPageToken, JobNotFound, PreconditionFailed
from chalicelib.domain.kubernetes import Job, JobList, ListMeta, Manifest, Pod
from chalicelib.domain.merge_patch import merged
from tests.builders import NOW, TEAM_A

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.domain.names import JobName, ProjectName


class FakeJobs:
    """The Jobs of a cluster in memory, as a caller reaches them who may use *projects* and no others.

    `before` schedules what happens just before calls of a method: a fault, or what somebody else does meanwhile.
    """

    def __init__(self, *projects: ProjectName) -> None:
        self.jobs: dict[tuple[ProjectName, str], Job] = {}
        self.all_pods: list[tuple[ProjectName, Pod]] = []
        self.manifests: list[Manifest] = []
        self.services: dict[tuple[ProjectName, str], Manifest] = {}
        self.asked_for_pods: list[list[str]] = []
        self._projects = projects or (TEAM_A,)
        self._seams: dict[str, deque[Callable[[], None]]] = defaultdict(deque)
        self._one_by_one = threading.RLock()
        self._made = 0

    def before(self, method: str, *seams: Callable[[], None]) -> None:
        """The next calls of *method* first run one of *seams* each."""
        self._seams[method].extend(seams)

    def hold(self, project: ProjectName, *jobs: Job) -> None:
        """Puts *jobs* into the cluster as they are."""
        self.jobs |= {(project, job.metadata.name): job for job in jobs}

    def names(self, project: ProjectName) -> list[str]:
        """The names of the Project's Jobs, in order."""
        return sorted(name for where, name in self.jobs if where == project)

    def create(self, project: ProjectName, manifest: Manifest) -> Job | None:
        """The Job made from *manifest*, or None when its name is taken."""
        self._enter("create", project)
        with self._one_by_one:
            if (project, manifest["metadata"]["name"]) in self.jobs:
                return None
            self._made += 1
            job = msgspec.convert(manifest, Job)
            job.metadata.uid, job.metadata.resource_version = f"uid-{self._made}", str(self._made)
            job.metadata.creation_timestamp = NOW
            self.manifests.append(manifest)
            self.hold(project, job)
        return job

    def preview(self, project: ProjectName, manifest: Manifest) -> Manifest | None:
        """The Job as the cluster would store it, or None when its name is taken; nothing is made."""
        self._enter("preview", project)
        if (project, manifest["metadata"]["name"]) in self.jobs:
            return None
        return {**manifest, "metadata": {**manifest["metadata"], "uid": "uid-of-a-preview"}}

    def create_service(self, project: ProjectName, manifest: Manifest) -> None:
        """Makes the Service of *manifest*, unless it is there already."""
        self._enter("create_service", project)
        self.services.setdefault((project, manifest["metadata"]["name"]), manifest)

    def patch(self, project: ProjectName, name: JobName, change: Manifest) -> Job | None:
        """The Job as the merge patch *change* leaves it, or None when it is gone, or another than *change* is for."""
        self._enter("patch", project)
        with self._one_by_one:
            job = self.jobs.get((project, name))
            seen = (change["metadata"]["uid"], change["metadata"]["resourceVersion"])
            if job is None or seen != (job.metadata.uid, job.metadata.resource_version):
                return None
            changed = msgspec.convert(merged(msgspec.to_builtins(job), change), Job)
            changed.metadata.resource_version += "1"
            self.hold(project, changed)
            return changed

    def find(self, project: ProjectName, name: JobName) -> Job | None:
        """The Job of that name, or None."""
        self._enter("find", project)
        return self.jobs.get((project, name))

    def page(self, project: ProjectName, selector: str, limit: int, token: str | None) -> JobList:
        """The next Jobs that match *selector*, at most *limit*, in the order of their names."""
        self._enter("page", project)
        after = _last_name(token) if token else ""
        found = [
            job
            for (where, name), job in sorted(self.jobs.items())
            if where == project and name > after and _matches(job.metadata.labels, selector)
        ]
        items = found[:limit]
        more = base64.urlsafe_b64encode(items[-1].metadata.name.encode()).decode() if found[limit:] else ""
        return JobList(metadata=ListMeta(continue_=more), items=items)

    def pods(self, project: ProjectName, jobs: list[str]) -> list[Pod]:
        """The pods of *jobs*, which are told apart by name alone, as a label selector does."""
        self._enter("pods", project)
        self.asked_for_pods.append(jobs)
        return [
            pod for where, pod in self.all_pods if where == project and pod.metadata.name.rpartition("-")[0] in jobs
        ]

    def delete(self, project: ProjectName, name: JobName, uid: str | None, version: str | None) -> None:
        """Deletes the Job and its pods, if it still has that uid and resource version."""
        self._enter("delete", project)
        with self._one_by_one:
            job = self.jobs.get((project, name))
            if job is None:
                raise JobNotFound(f"The Project {project} has no Job named {name}. It may have been cleaned up.")
            if uid not in {None, job.metadata.uid} or version not in {None, job.metadata.resource_version}:
                raise PreconditionFailed("The Job has changed, or is another one by now. Get it again, then decide.")
            del self.jobs[project, name]

    def _enter(self, method: str, project: ProjectName) -> None:
        if self._seams[method]:
            self._seams[method].popleft()()
        if project not in self._projects:
            raise Forbidden("You may not do this in that Project, or there is no such Project.")


class FakeTokens:
    """The tokens of a cluster: `token-1`, and the next one each time that a fresh one is asked for."""

    def __init__(self) -> None:
        self.made = 1
        self.fault: Exception | None = None

    def token(self, *, fresh: bool = False) -> str:
        """A token; raises the *fault* while there is one."""
        if self.fault:
            raise self.fault
        self.made += fresh
        return f"token-{self.made}"


def raising(error: Exception) -> Callable[[], None]:
    """A seam for `FakeJobs.before` that raises *error*."""

    def fault() -> None:
        raise error

    return fault


def _last_name(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise InvalidPageToken("The page token is not one of this list. Start again without it.") from error


def _matches(labels: dict[str, str], selector: str) -> bool:
    """Whether *labels* fit *selector*, which holds equalities alone."""
    for term in filter(None, selector.split(",")):
        key, _, value = term.replace("==", "=").partition("=")
        unequal = key.endswith("!")
        if (labels.get(key.rstrip("!")) == value) is unequal:
            return False
    return True
