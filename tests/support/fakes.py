"""In-memory fakes of the ports; they hold state."""

from __future__ import annotations

import base64
import binascii
import threading
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib.domain.errors import Forbidden, InvalidPageToken, JobNotFound, PreconditionFailed, ResearcherError
from chalicelib.domain.finished.receipt import object_key
from chalicelib.domain.kubernetes.completion_indexes import index_of
from chalicelib.domain.kubernetes.jobs import Job, JobList, ListMeta, Manifest
from chalicelib.domain.parsing.merge_patch import apply_merge_patch
from chalicelib.domain.uploads.status import FINAL, SEQUENCER, is_final, may_overwrite_status
from tests.support.builders import NOW, TEAM_A

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chalicelib.deadline import Deadline
    from chalicelib.domain.finished.announcement import Announcement
    from chalicelib.domain.finished.receipt import Receipt
    from chalicelib.domain.job.log_query import LogQuery
    from chalicelib.domain.job.logs import ContainerRun
    from chalicelib.domain.kubernetes.events import Event
    from chalicelib.domain.kubernetes.pods import Pod
    from chalicelib.domain.names import JobName, ProjectName
    from chalicelib.domain.uploads.s3_event import Upload


class FakeJobs:
    """The Jobs of a cluster in memory, as seen by a caller who may use *projects* and no others.

    `before` schedules actions that run just before calls of a method: faults, or concurrent changes by other callers.
    """

    def __init__(self, *projects: ProjectName) -> None:
        self.jobs: dict[tuple[ProjectName, str], Job] = {}
        self.all_pods: list[tuple[ProjectName, Pod]] = []
        self.manifests: list[Manifest] = []
        self.services: dict[tuple[ProjectName, str], Manifest] = {}
        self.pod_requests: list[list[str]] = []
        self.deletions: list[tuple[str, str | None, str | None]] = []
        self.secrets = frozenset({"hub"})
        self._projects = projects or (TEAM_A,)
        self._seams: dict[str, deque[Callable[[], None]]] = defaultdict(deque)
        self._lock = threading.RLock()
        self._made = 0

    def before(self, method: str, *seams: Callable[[], None]) -> None:
        """Run one of *seams* before each of the next calls of *method*."""
        self._seams[method].extend(seams)

    def hold(self, project: ProjectName, *jobs: Job) -> None:
        """Store *jobs* without changes."""
        self.jobs |= {(project, job.metadata.name): job for job in jobs}

    def names(self, project: ProjectName) -> list[str]:
        """Return the sorted names of the Project's Jobs."""
        return sorted(name for where, name in self.jobs if where == project)

    def listed_secrets(self, project: ProjectName) -> frozenset[str]:
        """Return the Secrets that Jobs of the Project may use, for any caller; none if the Project does not exist."""
        return self.secrets if project in self._projects else frozenset()

    def create(self, project: ProjectName, manifest: Manifest) -> Job | None:
        """Create a Job from *manifest* and return it; return None if its name is taken."""
        self._enter("create", project)
        with self._lock:
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
        """Return the Job as the cluster would store it, or None if its name is taken; create nothing."""
        self._enter("preview", project)
        if (project, manifest["metadata"]["name"]) in self.jobs:
            return None
        return {**manifest, "metadata": {**manifest["metadata"], "uid": "uid-of-a-preview"}}

    def create_service(self, project: ProjectName, manifest: Manifest) -> None:
        """Create the Service of *manifest* unless it exists."""
        self._enter("create_service", project)
        self.services.setdefault((project, manifest["metadata"]["name"]), manifest)

    def patch(self, project: ProjectName, name: JobName, change: Manifest) -> Job | None:
        """Apply the merge patch *change*; return None if the Job is gone or its uid or resourceVersion differs."""
        self._enter("patch", project)
        with self._lock:
            job = self.jobs.get((project, name))
            expected = (change["metadata"]["uid"], change["metadata"]["resourceVersion"])
            if job is None or expected != (job.metadata.uid, job.metadata.resource_version):
                return None
            changed = msgspec.convert(apply_merge_patch(msgspec.to_builtins(job), change), Job)
            # The API server keeps the version of an object that a patch does not change.
            changed.metadata.resource_version += "1" if changed != job else ""
            self.hold(project, changed)
            return changed

    def find(self, project: ProjectName, name: JobName) -> Job | None:
        """Return the Job of that name, or None."""
        self._enter("find", project)
        return self.jobs.get((project, name))

    def page(self, project: ProjectName, selector: str, limit: int, token: str | None) -> JobList:
        """Return the next Jobs that match *selector*, at most *limit*, in the order of their names."""
        self._enter("page", project)
        after = _last_name(token) if token else ""
        with self._lock:
            stored = sorted(self.jobs.items())
        found = [
            job
            for (where, name), job in stored
            if where == project and name > after and _matches(job.metadata.labels, selector)
        ]
        items = found[:limit]
        more = base64.urlsafe_b64encode(items[-1].metadata.name.encode()).decode() if found[limit:] else ""
        return JobList(metadata=ListMeta(continue_=more), items=items)

    def pods(self, project: ProjectName, jobs: Sequence[Job]) -> list[Pod]:
        """Return the pods of *jobs*, matched by name alone, as with a label selector."""
        self._enter("pods", project)
        names = [job.metadata.name for job in jobs]
        self.pod_requests.append(names)
        return [
            pod for where, pod in self.all_pods if where == project and pod.metadata.name.rpartition("-")[0] in names
        ]

    def delete(
        self, project: ProjectName, name: JobName, uid: str | None, version: str | None, *, dry_run: bool = False
    ) -> None:
        """Delete the Job and its pods if its uid and resourceVersion match, unless it is a dry run."""
        self._enter("delete", project)
        with self._lock:
            job = self.jobs.get((project, name))
            if job is None:
                raise JobNotFound(f"The Project {project} has no Job named {name}. It may have been cleaned up.")
            if uid not in {None, job.metadata.uid} or version not in {None, job.metadata.resource_version}:
                raise PreconditionFailed(
                    "The Job was changed, or deleted and created again. Get it before you try again."
                )
            self.deletions.append((name, uid, version))
            if not dry_run:
                del self.jobs[project, name]

    def _enter(self, method: str, project: ProjectName) -> None:
        if self._seams[method]:
            self._seams[method].popleft()()
        if project not in self._projects:
            raise Forbidden("The Project does not exist, or you do not have permission for this operation in it.")


class FakeUploads:
    """A bucket in memory: a document or an error for each upload, and the stored upload statuses.

    `before` schedules faults, as in FakeJobs.
    """

    def __init__(self, documents: Mapping[Upload, bytes | Exception]) -> None:
        self.documents = documents
        self.statuses: dict[str, tuple[bytes, dict[str, str]]] = {}
        self._seams: dict[str, deque[Callable[[], None]]] = defaultdict(deque)

    def before(self, method: str, *seams: Callable[[], None]) -> None:
        """Run one of *seams* before each of the next calls of *method*."""
        self._seams[method].extend(seams)

    def status(self, upload: Upload | None = None) -> Any:  # noqa: ANN401 - JSON
        """Return the decoded status of *upload*, or the only status."""
        (only,) = self.statuses.values() if upload is None else [self.statuses[upload.status_key]]
        return msgspec.json.decode(only[0])

    def has_final_status(self, upload: Upload) -> bool:
        """Return whether an earlier delivery of the same event stored a final status."""
        self._enter("has_final_status")
        _, metadata = self.statuses.get(upload.status_key, (b"", {}))
        return is_final(upload, metadata)

    def read(self, upload: Upload) -> bytes:
        """Return the document."""
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
    """The pods and events of a cluster in memory, as seen by a caller who may use team-a and no other Project."""

    def __init__(self) -> None:
        self.pods: list[Pod] = []
        self.recorded_events: list[Event] = []
        self.logs: dict[str, bytes | ResearcherError] = {}
        self.requested_pods: list[str] = []
        self.attempts: list[ContainerRun] = []
        self._lock = threading.Lock()

    def of_job(self, project: ProjectName, job: Job, index: int | None = None) -> list[Pod]:
        """Return the pods of *job*, matched by name, or those of *index*."""
        self._enter(project)
        of_name = [pod for pod in self.pods if pod.metadata.name.startswith(f"{job.metadata.name}-")]
        return [pod for pod in of_name if index is None or index_of(pod) == index]

    def of_indexes(self, project: ProjectName, job: Job, indexes: Sequence[int]) -> list[Pod]:
        """Return the pods of these *indexes* of *job*, matched by name."""
        return [pod for pod in self.of_job(project, job) if index_of(pod) in indexes]

    def failed(self, project: ProjectName, job: Job) -> list[Pod]:
        """Return the failed pods of *job*, matched by name."""
        return [pod for pod in self.of_job(project, job) if pod.status.phase == "Failed"]

    def log(self, project: ProjectName, attempt: ContainerRun, query: LogQuery) -> bytes:
        """Return the whole log of the pod of *attempt*; only a real cluster applies the limits of *query*."""
        del query
        self._enter(project)
        self.attempts.append(attempt)
        log = self.logs[attempt.pod]
        if isinstance(log, ResearcherError):
            raise log
        return log

    def events(self, project: ProjectName, uid: str) -> list[Event]:
        """Return the events about the object with *uid*."""
        self._enter(project)
        return [event for event in self.recorded_events if event.involved_object.uid == uid]

    def pod_events(self, project: ProjectName, pod: str) -> list[Event]:
        """Return the events about the pod of that name."""
        self._enter(project)
        with self._lock:
            self.requested_pods.append(pod)
        return [
            event
            for event in self.recorded_events
            if (event.involved_object.kind, event.involved_object.name) == ("Pod", pod)
        ]

    def _enter(self, project: ProjectName) -> None:
        if project != TEAM_A:
            raise Forbidden("The Project does not exist, or you do not have permission for this operation in it.")


class FakeRemains:
    """The finished Jobs of *jobs*, with what the cleanup archives of them."""

    def __init__(self, jobs: FakeJobs) -> None:
        self.log: str | None = "done\n"
        self._jobs = jobs

    def manifest(self, project: ProjectName, name: JobName) -> Manifest | None:
        """Return the stored manifest of the Job of that name, or None."""
        job = self._jobs.find(project, name)
        manifest: Manifest = msgspec.to_builtins(job)
        return manifest if job else None

    def pods(self, project: ProjectName, job: Job) -> list[Pod]:
        """Return the pods of *job* in any phase."""
        return self._jobs.pods(project, [job])

    def log_tail(self, project: ProjectName, pod: Pod, container: str) -> str | None:
        """Return the last lines of the container's log, or None if the log is unavailable."""
        del project, pod, container
        return self.log


class FakeReceipts:
    """Receipts in memory; the first Receipt under a key is never replaced."""

    def __init__(self) -> None:
        self.stored: dict[str, Receipt] = {}
        self.faults: deque[Callable[[], None]] = deque()

    def store(self, receipt: Receipt) -> None:
        """Store *receipt* unless its key is taken, or run the next of the *faults* first."""
        if self.faults:
            self.faults.popleft()()
        self.stored.setdefault(object_key(receipt), receipt)

    def find(self, project: ProjectName, name: JobName) -> Receipt | None:
        """Return the newest Receipt of a Job of that name, or None."""
        found = [each for each in self.stored.values() if (each.project, each.name) == (project, name)]
        return max(found, key=lambda each: each.created_at, default=None)


class FakeEventBus:
    """The accepted events in order; events whose ids are in `refused` are not accepted."""

    def __init__(self) -> None:
        self.published: list[Announcement] = []
        self.calls: list[int] = []
        self.refused: set[str] = set()
        self.faults: deque[Callable[[], None]] = deque()

    def publish(self, announcements: Sequence[Announcement]) -> set[str]:
        """Return the ids of the accepted events; run the next of the *faults* first."""
        if self.faults:
            self.faults.popleft()()
        self.calls.append(len(announcements))
        accepted = [each for each in announcements if each.id not in self.refused]
        self.published += accepted
        return {each.id for each in accepted}


class FakeTokens:
    """The tokens of a cluster: `token-1`, then a new one for each call with *fresh*."""

    def __init__(self) -> None:
        self.made = 1
        self.fault: Exception | None = None

    def token(self, deadline: Deadline, *, fresh: bool = False) -> str:
        """Return a token, or raise the *fault* if there is one."""
        del deadline
        if self.fault:
            raise self.fault
        self.made += fresh
        return f"token-{self.made}"


def raising(error: Exception) -> Callable[[], None]:
    """Return an action for `FakeJobs.before` that raises *error*."""

    def fault() -> None:
        raise error

    return fault


def _last_name(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise InvalidPageToken("The page token does not belong to this list. Start again without it.") from error


def _matches(labels: dict[str, str], selector: str) -> bool:
    """Return whether *labels* match *selector*: equalities, inequalities, and keys that must be absent."""
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
