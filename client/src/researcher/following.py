"""Follow the log of a Job until it is complete.

A server with log cursors returns what comes after the cursor, and says when the log is complete. From a server without
them the new lines are read by time: each poll requests the lines since a little before the last poll, with their
timestamps, and drops those that it has seen. A log that is rotated or deleted between two polls has a gap.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from researcher.errors import ApiError
from researcher.models import JobView
from researcher.polling import GRACE, Poll
from researcher.transport import path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from researcher.capabilities import Capabilities
    from researcher.responses import Answer
    from researcher.transport import Transport

LOGS = "/jobs/{project}/{name}/logs"
INTERVAL = 2
"""Seconds between two polls without cursors."""
OVERLAP = 5
START = "start"
WHOLE: dict[str, object] = {"tail": 100_000, "limitBytes": 1_000_000}
"""The most that the API returns at once; without these parameters it returns the last 1,000 lines."""
NOT_STARTED, GONE = "job_not_started", "log_gone"


class LogFollower:
    """Yields the pieces of the log of one Job, or of one of its indexes; each piece ends with a whole line."""

    def __init__(  # noqa: PLR0913 - the Job and the selection
        self,
        transport: Transport,
        capabilities: Capabilities,
        project: str,
        name: str,
        selection: dict[str, object],
        *,
        poll: Poll | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._capabilities = capabilities
        self._job = path_of("jobs", project, name)
        self._selection = selection
        self._poll = poll or Poll()
        self._clock = clock
        self._last_poll: float | None = None
        self._gone = False

    def lines(self) -> Iterator[str]:
        """Yield each line without its end."""
        if self._capabilities.has_parameter(LOGS, "get", "cursor"):
            return self._by_cursor()
        return self._by_time()

    def _by_cursor(self) -> Iterator[str]:
        query, rest, complete = self._selection, "", False
        if not {"tail", "sinceSeconds"} & set(query):
            query = {**query, "cursor": START}
        while not complete:
            answer = self._request(query, waits=True)
            if answer is None:
                complete = self._gone and self._finished(INTERVAL)
                continue
            if gap := answer.headers.get("x-log-gap"):
                yield f"[researcher: lines are missing here ({gap})]"
            *whole, rest = (rest + answer.text).split("\n")
            yield from whole
            if cursor := answer.headers.get("x-next-cursor"):
                query = {**self._of_pod(), "cursor": cursor}
            complete = answer.headers.get("x-log-complete", "").lower() == "true"
        if rest:
            yield rest

    def _by_time(self) -> Iterator[str]:
        pods: dict[str, _Seen] = {}
        pod, polled, finished = "", False, False
        query: dict[str, object] = WHOLE | self._selection
        while not (finished and (polled or self._gone)):
            # The end of the Job is looked up before the log, so that the last poll has its last lines.
            finished = finished or self._finished(INTERVAL if polled else 0)
            began = self._clock()
            answer = self._request({**query, "timestamps": True}, waits=False)
            if answer is not None and pods and _pod(answer) not in pods:
                yield from self._rest_of(pod, pods[pod])
                answer = self._from_beginning(answer)
            polled = answer is not None
            if answer is not None:
                pod = _pod(answer)
                yield from pods.setdefault(pod, _Seen()).new_lines(answer.text)
                self._last_poll = began
            if self._last_poll is not None:
                query = {**WHOLE, **self._of_pod(), "sinceSeconds": int(self._clock() - self._last_poll) + OVERLAP}

    def _rest_of(self, pod: str, seen: _Seen) -> Iterator[str]:
        """Yield what the pod of the attempt before wrote after the last poll."""
        answer = self._request({**WHOLE, **self._of_pod(), "previous": True, "timestamps": True}, waits=False)
        if answer is not None and _pod(answer) == pod:
            yield from seen.new_lines(answer.text)

    def _from_beginning(self, answer: Answer) -> Answer:
        """Return the whole log of the pod of *answer*, or that answer if the server shows another pod by now."""
        whole = self._request({**WHOLE, **self._of_pod(), "timestamps": True}, waits=False)
        return whole if whole is not None and _pod(whole) == _pod(answer) else answer

    def _of_pod(self) -> dict[str, object]:
        return {name: self._selection[name] for name in ("index", "container") if name in self._selection}

    def _request(self, query: dict[str, object], *, waits: bool) -> Answer | None:
        """Request a part of the log; None if there is none now, or the request has to be repeated."""

        def send(seconds: int) -> Answer:
            sent = {**query, "wait": seconds} if waits else query
            return self._transport.send("GET", f"{self._job}/logs", query=sent, timeout=seconds + GRACE, attempts=1)

        self._gone = False
        try:
            return self._poll.request(send)
        except ApiError as error:
            if error.code not in {NOT_STARTED, GONE}:
                raise
            # A Job that has ended without a log will not have one.
            self._gone = self._finished(INTERVAL)
        return None

    def _finished(self, seconds: int) -> bool:
        """Return whether the Job has ended; wait up to *seconds* for its end."""

        def send(longest: int) -> Any:  # noqa: ANN401 - JSON
            query: dict[str, object] = {"wait": min(seconds, longest), "until": "finished"}
            return self._transport.send("GET", self._job, query=query, timeout=seconds + GRACE, attempts=1).document()

        document = self._poll.request(send)
        return document is not None and JobView.decode(document["data"][0]).finished_at is not None


def _pod(answer: Answer) -> str:
    return answer.headers.get("x-pod-name", "")


class _Seen:
    """The lines of one pod that were yielded: all before the newest timestamp, and some with it."""

    def __init__(self) -> None:
        self._newest = ""
        self._count = 0

    def new_lines(self, text: str) -> Iterator[str]:
        """Yield the lines of *text*, each of which begins with its timestamp, that were not yielded before."""
        skipped = 0
        newest, count = self._newest, self._count
        for line in text.removesuffix("\n").split("\n") if text else []:
            timestamp, _, rest = line.partition(" ")
            order = _comparable(timestamp)
            if order < newest:
                continue
            if order == newest and skipped < count:
                skipped += 1
                continue
            if order > self._newest:
                self._newest, self._count = order, 0
            self._count += 1
            yield rest


def _comparable(timestamp: str) -> str:
    """Return an RFC 3339 time in UTC so that text order is time order: the kubelet leaves out zeros at the end."""
    seconds, _, fraction = timestamp.removesuffix("Z").partition(".")
    return f"{seconds}.{fraction.ljust(9, '0')}"
