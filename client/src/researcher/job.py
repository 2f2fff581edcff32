"""A Job, as `Client.submit` and `Client.get` return it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from researcher.errors import ApiError, JobFailed, NotFound
from researcher.following import WHOLE, LogFollower
from researcher.matrix import parameters_of
from researcher.models import Deletion, Diagnosis, EventPage, EventView, JobView
from researcher.polling import GRACE, Poll
from researcher.transport import path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Unpack

    from researcher.client import Client
    from researcher.models import Submission, WaitTarget

FAILED = "Failed"
TAIL_LINES = 20
PAGE = 500
JOB = "/jobs/{project}/{name}"
INDEXES = f"{JOB}/indexes"


class IndexState(NamedTuple):
    """An index of an Indexed Job, its state, and its parameters in a sweep."""

    number: int
    state: str
    parameters: dict[str, str]


class Job:
    """A Job: its attributes are as it was last seen; `refresh` and `wait` look again."""

    def __init__(self, client: Client, view: JobView, parameters: Sequence[dict[str, str]] = ()) -> None:
        self._client = client
        self._parameters = parameters
        self._path = path_of("jobs", view.project, view.name)
        self.view = view

    def __repr__(self) -> str:
        """Show the name and the status."""
        return f"<Job {self.project}/{self.name}: {self.status}>"

    @property
    def name(self) -> str:
        """The name, unique in the Project."""
        return self.view.name

    @property
    def project(self) -> str:
        """The Project."""
        return self.view.project

    @property
    def status(self) -> str:
        """The status."""
        return self.view.status

    @property
    def reason(self) -> str | None:
        """Why it is in this status, in one word."""
        return self.view.reason

    @property
    def message(self) -> str | None:
        """The details of the reason."""
        return self.view.message

    @property
    def finished(self) -> bool:
        """Whether it has succeeded or failed."""
        return self.view.finished_at is not None

    @property
    def exit_code(self) -> int | None:
        """The exit code of the container that decided the outcome; None if it is not known, or there is none yet."""
        # A server that is newer than this client's models has the field, too.
        code = self.view.document.get("exitCode")
        if isinstance(code, int) or not self.finished:
            return code
        if self.status != FAILED:
            return 0
        # A server without the field has the exit code in the evidence of its diagnosis.
        found = re.search(r"exit code (\d+)", self.why().evidence.message)
        return int(found[1]) if found else None

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
        return JobFailed(self.name, code=self.exit_code, cause=cause, remedy=diagnosis.remedy, log_tail=tail)

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
        states = self._listed_indexes() if self._client.capabilities.has_path(INDEXES) else self._ended_indexes()
        parameters = self._parameters or self._submitted_parameters()
        names = dict(enumerate(parameters))
        return [IndexState(index, states.get(index, ""), names.get(index, {})) for index in sorted({*states, *names})]

    def _listed_indexes(self) -> dict[int, str]:
        states: dict[int, str] = {}
        query: dict[str, object] = {"limit": PAGE}
        while True:
            page = self._client.transport.get(f"{self._path}/indexes", query)
            states |= {each["index"]: str(each["status"]).capitalize() for each in page["data"]}
            if not (token := page.get("nextPageToken")):
                return states
            query["pageToken"] = token

    def _ended_indexes(self) -> dict[int, str]:
        failed = dict.fromkeys(parse_indexes(self.view.failed_indexes), "Failed")
        return failed | dict.fromkeys(parse_indexes(self.view.completed_indexes), "Succeeded")

    def _submitted_parameters(self) -> Sequence[dict[str, str]]:
        """Return the parameters in the submission, if the server shows it, and the Job is a sweep."""
        if not self._client.capabilities.has_parameter(JOB, "get", "include"):
            return ()
        document = self._client.transport.get(self._path, {"include": "submission"})["data"][0]
        return parameters_of(document.get("submission") or {})

    def _repr_html_(self) -> str:
        """Return a small card for notebooks."""
        from researcher.card import card  # noqa: PLC0415 - only notebooks need it

        return card(self.view)

    def _look(self, seconds: int, until: str) -> JobView:
        query = {"wait": seconds, "until": until}
        timeout = seconds + GRACE
        answer = self._client.transport.send("GET", self._path, query=query, timeout=timeout, attempts=1)
        return JobView.decode(answer.document()["data"][0])

    def _change(self, method: str, what: str) -> Job:
        answer: Any = self._client.transport.send(method, f"{self._path}/{what}", idempotent=True).document()
        self.view = JobView.decode(answer)
        return self


def parse_indexes(text: str | None) -> set[int]:
    """Return the numbers of a list such as `1,3-5,7`; a long list ends with `...`."""
    found: set[int] = set()
    for part in (text or "").split(","):
        if match := re.fullmatch(r"(\d+)(?:-(\d+))?", part):
            found |= set(range(int(match[1]), int(match[2] or match[1]) + 1))
    return found
