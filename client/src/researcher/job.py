"""A Job, as `Client.submit` and `Client.get` return it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from researcher.errors import ApiError, JobFailed, NotFound
from researcher.following import WHOLE, LogFollower
from researcher.indexes import IndexState, read_indexes
from researcher.models import Deletion, Diagnosis, EventPage, EventView, JobView
from researcher.polling import GRACE, Poll
from researcher.seen import FAILED, SeenJob
from researcher.transport import path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Unpack

    from researcher.client import Client
    from researcher.models import Submission, WaitTarget

TAIL_LINES = 20


class Job(SeenJob):
    """A Job: its attributes are as it was last seen; `refresh` and `wait` look again."""

    def __init__(self, client: Client, view: JobView, parameters: Sequence[dict[str, str]] = ()) -> None:
        super().__init__(view)
        self._client = client
        self._parameters = parameters
        self._path = path_of("jobs", view.project, view.name)

    def refresh(self) -> Job:
        """Get the Job as it is now."""
        self.view = self._client.view(self.project, self.name)
        return self

    def wait(
        self,
        *,
        until: WaitTarget = "finished",
        timeout: float | None = None,
        check: bool = False,
        watch: Callable[[Job], None] | None = None,
    ) -> Job:
        """Wait until the Job has finished, or runs.

        Args:
            until: `finished` or `running`, which ends also when the Job has finished.
            timeout: Seconds; then WaitTimeout is raised, and the Job goes on.
            check: Raise JobFailed if the Job has failed.
            watch: Is called with the Job after each look, at least every 25 seconds.
        """
        poll = Poll(timeout)
        longest = 2 if watch else 25
        while True:
            view = poll.request(lambda seconds: self._look(seconds, until), longest)
            if view is not None:
                self.view = view
                if watch is not None:
                    watch(self)
                if self.finished or (until == "running" and self.status == "Running"):
                    break
            poll.check(f"{self.name} is {self.status} and goes on")
        if check and self.status == FAILED:
            raise self.failure()
        return self

    def failure(self) -> JobFailed:
        """Return the error for a Job that has failed: its exit code, cause, remedy and the end of its log."""
        diagnosis = self.why()
        try:
            tail = self.log(tail=TAIL_LINES)
        except ApiError:
            tail = ""  # its pods are gone, or it never had one
        cause = diagnosis.evidence.message or diagnosis.cause
        code = diagnosis.exit_code if self.exit_code is None else self.exit_code
        return JobFailed(self.name, code=code, cause=cause, remedy=diagnosis.remedy, log_tail=tail)

    def logs(  # noqa: PLR0913 - the parameters of the API
        self,
        *,
        follow: bool = False,
        tail: int | None = None,
        since: int | None = None,
        index: int | None = None,
        container: str | None = None,
        previous: bool = False,
        timestamps: bool = False,
    ) -> Iterator[str]:
        """Yield the lines of the log; with *follow*, also those to come, until the Job has ended."""
        selection = {"tail": tail, "sinceSeconds": since, "index": index, "container": container}
        chosen: dict[str, object] = {name: value for name, value in selection.items() if value is not None}
        if follow:
            transport, capabilities = self._client.transport, self._client.capabilities
            yield from LogFollower(transport, capabilities, self.project, self.name, chosen).lines()
            return
        if previous:
            chosen["previous"] = True
        if timestamps:
            chosen["timestamps"] = True
        text = self._client.transport.send("GET", f"{self._path}/logs", query=WHOLE | chosen).text
        yield from text.removesuffix("\n").split("\n") if text else []

    def log(self, *, tail: int | None = None, index: int | None = None) -> str:
        """Return the end of the log as one text."""
        return "\n".join(self.logs(tail=tail, index=index))

    def events(self) -> list[EventView]:
        """Return the events of the Job and its pods, the latest last."""
        return EventPage.decode(self._client.transport.get(f"{self._path}/events")).data

    def why(self) -> Diagnosis:
        """Return why the Job is in its status: the cause, the evidence and the remedy."""
        return Diagnosis.decode(self._client.transport.get(f"{self._path}/diagnosis"))

    def suspend(self) -> Job:
        """Suspend the Job: its pods end, and give their GPUs back."""
        return self._change("POST", "suspend")

    def resume(self) -> Job:
        """Resume the suspended Job: its pods start from the beginning."""
        return self._change("POST", "resume")

    def keep(self, *, keep: bool = True) -> Job:
        """Exempt the Job from cleanup, or make it subject to cleanup again."""
        return self._change("PUT" if keep else "DELETE", "keep")

    def retry(self) -> Job:
        """Run the indexes that the finished Indexed Job did not complete, as a new Job."""
        answer = self._client.transport.send("POST", f"{self._path}/retry", idempotent=True)
        return Job(self._client, JobView.decode(answer.document()))

    def clone(self, *, idempotency_key: str | None = None, **changes: Unpack[Submission]) -> Job:
        """Submit the Job again with *changes*; None removes a field."""
        return self._client.clone(self.project, self.name, idempotency_key=idempotency_key, **changes)

    def delete(self, *, reason: str | None = None) -> Deletion:
        """Delete the Job, and not another one that has its name by now."""
        query = {"uid": self.view.id, "reason": reason}
        try:
            answer = self._client.transport.send("DELETE", self._path, query=query)
        except NotFound as error:
            if error.repeated:  # by the first attempt, whose response was lost
                return Deletion(name=self.name, project=self.project, ok=True)
            raise
        return Deletion.decode(answer.document())

    def indexes(self) -> list[IndexState]:
        """Return the indexes of an Indexed Job, with the parameters of a sweep.

        From a server that cannot list them, those that are known to have ended are returned.
        """
        return read_indexes(self._client.transport, self._client.capabilities, self.view, self._parameters)

    def _look(self, seconds: int, until: str) -> JobView:
        query = {"wait": seconds, "until": until}
        timeout = seconds + GRACE
        answer = self._client.transport.send("GET", self._path, query=query, timeout=timeout, attempts=1)
        return JobView.decode(answer.document()["data"][0])

    def _change(self, method: str, what: str) -> Job:
        answer: Any = self._client.transport.send(method, f"{self._path}/{what}", idempotent=True).document()
        self.view = JobView.decode(answer)
        return self
