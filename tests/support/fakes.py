"""Fakes that hold state, in place of what is outside."""

from __future__ import annotations

import base64
import binascii
import threading
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib.domain.errors import Forbidden, InvalidPageToken, JobNotFound, PreconditionFailed
from chalicelib.domain.finished.receipt import object_key
from chalicelib.domain.job.logs import index_of
from chalicelib.domain.kubernetes.jobs import Job, JobList, ListMeta, Manifest
from chalicelib.domain.parsing.merge_patch import apply_merge_patch
from chalicelib.domain.uploads.status import FINAL, SEQUENCER, is_final, may_overwrite_status
from tests.support.builders import NOW, TEAM_A

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chalicelib.deadline import Deadline
    from chalicelib.domain.finished.announcement import Announcement
    from chalicelib.domain.finished.receipt import Receipt
    from chalicelib.domain.job.logs import ContainerRun, LogQuery
    from chalicelib.domain.kubernetes.events import Event
    from chalicelib.domain.kubernetes.pods import Pod
    from chalicelib.domain.names import JobName, ProjectName
    from chalicelib.domain.uploads.s3_event import Upload


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
        self.secrets = frozenset({"hub"})
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

    def listed_secrets(self, project: ProjectName) -> frozenset[str]:
        """The Secrets that the Project's Jobs may name, whoever asks; none where there is no such Project."""
        return self.secrets if project in self._projects else frozenset()

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
            changed = msgspec.convert(apply_merge_patch(msgspec.to_builtins(job), change), Job)
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
        with self._one_by_one:
            held = sorted(self.jobs.items())
        found = [
            job
            for (where, name), job in held
            if where == project and name > after and _matches(job.metadata.labels, selector)
        ]
        items = found[:limit]
        more = base64.urlsafe_b64encode(items[-1].metadata.name.encode()).decode() if found[limit:] else ""
        return JobList(metadata=ListMeta(continue_=more), items=items)

    def pods(self, project: ProjectName, jobs: Sequence[Job]) -> list[Pod]:
        """The pods of *jobs*, which are told apart by name alone, as a label selector does."""
        self._enter("pods", project)
        names = [job.metadata.name for job in jobs]
        self.asked_for_pods.append(names)
        return [
            pod for where, pod in self.all_pods if where == project and pod.metadata.name.rpartition("-")[0] in names
        ]

    def delete(self, project: ProjectName, name: JobName, uid: str | None, version: str | None) -> None:
        """Deletes the Job and its pods, if it still has that uid and resource version."""
        self._enter("delete", project)
        with self._one_by_one:
            job = self.jobs.get((project, name))
            if job is None:
                raise JobNotFound(f"The Project {project} has no Job named {name}. It may have been cleaned up.")
            if uid not in {None, job.metadata.uid} or version not in {None, job.metadata.resource_version}:
                raise PreconditionFailed(
                    "The Job was changed, or deleted and created again. Get it before you try again."
                )
            del self.jobs[project, name]

    def suspend(self, project: ProjectName, name: JobName, version: str, *, suspended: bool) -> Job | None:
        """The Job once it is to be *suspended*, or not; None when its resource version is another by now."""
        self._enter("suspend", project)
        with self._one_by_one:
            job = self.jobs.get((project, name))
            if job is None or job.metadata.resource_version != version:
                return None
            if bool(job.spec.suspend) != suspended:
                self._made += 1
                job = msgspec.convert(msgspec.to_builtins(job), Job)
                job.spec.suspend, job.metadata.resource_version = suspended, f"{version}{self._made}"
                self.hold(project, job)
            return job

    def _enter(self, method: str, project: ProjectName) -> None:
        if self._seams[method]:
            self._seams[method].popleft()()
        if project not in self._projects:
            raise Forbidden("The Project does not exist, or you do not have permission for this operation in it.")


class FakeUploads:
    """A bucket in memory: what reading each upload gives or raises, and the statuses that were told.

    `before` schedules faults, as of FakeJobs.
    """

    def __init__(self, documents: Mapping[Upload, bytes | Exception]) -> None:
        self.documents = documents
        self.statuses: dict[str, tuple[bytes, dict[str, str]]] = {}
        self._seams: dict[str, deque[Callable[[], None]]] = defaultdict(deque)

    def before(self, method: str, *seams: Callable[[], None]) -> None:
        """The next calls of *method* first run one of *seams* each."""
        self._seams[method].extend(seams)

    def told(self, upload: Upload | None = None) -> Any:  # noqa: ANN401 - JSON
        """What the status of *upload*, or the only one, says."""
        (only,) = self.statuses.values() if upload is None else [self.statuses[upload.status_key]]
        return msgspec.json.decode(only[0])

    def has_final_status(self, upload: Upload) -> bool:
        """Return whether an earlier delivery of the same event stored a final status."""
        self._enter("has_final_status")
        _, metadata = self.statuses.get(upload.status_key, (b"", {}))
        return is_final(upload, metadata)

    def read(self, upload: Upload) -> bytes:
        """The document."""
        self._enter("read")
        document = self.documents[upload]
        if isinstance(document, Exception):
            raise document
        return document

    def write_status(self, upload: Upload, status: bytes, *, final: bool) -> None:
        """Store *status*, unless the status of a newer event or a final one of this event is stored already."""
        self._enter("write_status")
        _, metadata = self.statuses.get(upload.status_key, (b"", {}))
        if may_overwrite_status(upload, metadata):
            written = {SEQUENCER: upload.sequencer} | ({FINAL: "true"} if final else {})
            self.statuses[upload.status_key] = status, written

    def _enter(self, method: str) -> None:
        if self._seams[method]:
            self._seams[method].popleft()()


class FakePods:
    """The pods and events of a cluster in memory, as a caller reaches them who may use team A and no other Project."""

    def __init__(self) -> None:
        self.pods: list[Pod] = []
        self.told: list[Event] = []
        self.logs: dict[str, bytes] = {}
        self.asked_for: list[str] = []
        self.attempts: list[ContainerRun] = []
        self._lock = threading.Lock()

    def of_job(self, project: ProjectName, job: Job, index: int | None = None) -> list[Pod]:
        """The pods of *job*, by name alone, or those of *index*."""
        self._enter(project)
        of_name = [pod for pod in self.pods if pod.metadata.name.startswith(f"{job.metadata.name}-")]
        return [pod for pod in of_name if index is None or index_of(pod) == index]

    def log(self, project: ProjectName, attempt: ContainerRun, query: LogQuery) -> bytes:
        """What the pod of *attempt* printed; how much of it is for the cluster to say."""
        del query
        self._enter(project)
        self.attempts.append(attempt)
        return self.logs[attempt.pod]

    def events(self, project: ProjectName, uid: str) -> list[Event]:
        """The events about the object with *uid*."""
        self._enter(project)
        return [event for event in self.told if event.involved_object.uid == uid]

    def pod_events(self, project: ProjectName, pod: str) -> list[Event]:
        """The events about the pod of that name."""
        self._enter(project)
        with self._lock:
            self.asked_for.append(pod)
        return [
            event for event in self.told if (event.involved_object.kind, event.involved_object.name) == ("Pod", pod)
        ]

    def _enter(self, project: ProjectName) -> None:
        if project != TEAM_A:
            raise Forbidden("The Project does not exist, or you do not have permission for this operation in it.")


class FakeRemains:
    """What is left of the Jobs of *jobs*."""

    def __init__(self, jobs: FakeJobs) -> None:
        self.log: str | None = "done\n"
        self._jobs = jobs

    def manifest(self, project: ProjectName, name: JobName) -> Manifest | None:
        """The Job of that name as the cluster stores it, or None."""
        job = self._jobs.find(project, name)
        manifest: Manifest = msgspec.to_builtins(job)
        return manifest if job else None

    def pods(self, project: ProjectName, job: Job) -> list[Pod]:
        """The pods of *job*, however they ended."""
        return self._jobs.pods(project, [job])

    def log_tail(self, project: ProjectName, pod: Pod) -> str | None:
        """The last lines of the pod's log, or None when they cannot be had."""
        del project, pod
        return self.log


class FakeReceipts:
    """Receipts in memory: each once, as it was first stored."""

    def __init__(self) -> None:
        self.stored: dict[str, Receipt] = {}
        self.faults: deque[Callable[[], None]] = deque()

    def store(self, receipt: Receipt) -> None:
        """Stores *receipt*, once, or meets the next of the *faults*."""
        if self.faults:
            self.faults.popleft()()
        self.stored.setdefault(object_key(receipt), receipt)

    def find(self, project: ProjectName, name: JobName) -> Receipt | None:
        """The newest Receipt of a Job of that name, or None."""
        found = [one for one in self.stored.values() if (one.project, one.name) == (project, name)]
        return max(found, key=lambda one: one.created_at, default=None)


class FakeEventBus:
    """Events that were accepted, in their order; `refused` are ids that are not."""

    def __init__(self) -> None:
        self.told: list[Announcement] = []
        self.calls: list[int] = []
        self.refused: set[str] = set()
        self.faults: deque[Callable[[], None]] = deque()

    def publish(self, announcements: Sequence[Announcement]) -> set[str]:
        """The ids of those that were accepted; meets the next of the *faults*."""
        if self.faults:
            self.faults.popleft()()
        self.calls.append(len(announcements))
        accepted = [one for one in announcements if one.id not in self.refused]
        self.told += accepted
        return {one.id for one in accepted}


class FakeTokens:
    """The tokens of a cluster: `token-1`, and the next one each time that a fresh one is asked for."""

    def __init__(self) -> None:
        self.made = 1
        self.fault: Exception | None = None

    def token(self, deadline: Deadline, *, fresh: bool = False) -> str:
        """A token; raises the *fault* while there is one."""
        del deadline
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
        raise InvalidPageToken("The page token does not belong to this list. Start again without it.") from error


def _matches(labels: dict[str, str], selector: str) -> bool:
    """Whether *labels* fit *selector*, which holds equalities, and keys that must not be there."""
    for term in filter(None, selector.split(",")):
        if term.startswith("!"):
            if term[1:] in labels:
                return False
            continue
        key, _, value = term.replace("==", "=").partition("=")
        unequal = key.endswith("!")
        if (labels.get(key.rstrip("!")) == value) is unequal:
            return False
    return True
