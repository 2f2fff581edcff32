"""Following a log: with the cursors of a server that has them, and by time from one without."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, cast

import pytest
from researcher.connection import Response
from researcher.errors import Unavailable, api_error
from researcher.following import LogFollower
from researcher.polling import Poll
from researcher.responses import Answer

if TYPE_CHECKING:
    from researcher.capabilities import Capabilities
    from researcher.transport import Transport

VIEW = {
    "id": "u", "project": "p", "name": "j", "status": "Running", "type": "Train", "nodes": [], "createdAt": 1,
    "images": "i", "user": "u", "currentAllocatedGPUs": 0, "requestedGPUs": 0,
    "pods": {"active": 1, "ready": 1, "succeeded": 0, "failed": 0}, "keep": False, "labels": {}, "links": {},
}  # fmt: skip


class _Features:
    def __init__(self, *, cursors: bool) -> None:
        self._cursors = cursors

    def has_parameter(self, *_: str) -> bool:
        return self._cursors


class CursorServer:
    """Serves a log in pieces, by cursor, and fails now and then."""

    def __init__(self, text: str, size: int, failures: set[int]) -> None:
        self.text, self.size, self.failures = text, size, failures
        self.calls = itertools.count()
        self.queries: list[dict[str, Any]] = []

    def send(self, _: str, path: str, query: dict[str, Any], **__: object) -> Answer:
        """Answer a request for the log."""
        assert path.endswith("/logs")
        self.queries.append(query)
        if next(self.calls) in self.failures:
            raise Unavailable("cut")
        start = int(query.get("cursor", "start").replace("start", "0"))
        end = min(start + self.size, len(self.text))
        headers = {"x-next-cursor": str(end), "x-log-complete": str(end == len(self.text)).lower()}
        return Answer(Response(200, headers, self.text[start:end].encode()))


class TimedServer:
    """A server without cursors: pods with lines at times; each request is a moment later."""

    def __init__(self, pods: dict[str, list[tuple[int, str]]], starts: dict[str, int], end: int, step: int = 2) -> None:
        self.pods, self.starts, self.end, self.step = pods, starts, end, step
        self.now = 0

    def clock(self) -> float:
        """Return the time."""
        return float(self.now)

    def send(self, _: str, path: str, query: dict[str, Any], **__: object) -> Answer:
        """Answer a request for the Job or its log."""
        if not path.endswith("/logs"):
            self.now += self.step if query.get("wait") else 0
            finished = self.now * 1000 if self.now >= self.end else None
            return Answer(Response(200, {}, _json({"data": [{**VIEW, "finishedAt": finished}]})))
        started = [name for name, start in self.starts.items() if start <= self.now]
        if not started:
            raise api_error(409, {"code": "job_not_started"})
        pod = started[-2] if query.get("previous") and len(started) > 1 else started[-1]
        since = self.now - int(query.get("sinceSeconds", 10**6))
        lines = [f"2026-11-28T10:00:{at:02}Z {line}\n" for at, line in self.pods[pod] if since <= at <= self.now]
        return Answer(Response(200, {"x-pod-name": pod}, "".join(lines).encode()))


def _json(document: object) -> bytes:
    import json  # noqa: PLC0415 - a helper of one line

    return json.dumps(document).encode()


def follow(server: Any, *, cursors: bool) -> list[str]:  # noqa: ANN401 - one of the fakes
    """Return all lines."""
    clock = getattr(server, "clock", lambda: 0.0)
    poll = Poll(clock=clock, sleep=lambda _: None)
    features = cast("Capabilities", _Features(cursors=cursors))
    transport = cast("Transport", server)
    return list(LogFollower(transport, features, "p", "j", {}, poll=poll, clock=clock).lines())


class TestByCursor:
    """A server with cursors."""

    @pytest.mark.parametrize("size", [1, 3, 7, 1000])
    @pytest.mark.parametrize("failures", [set(), {0}, {1, 2, 5}])
    def test_each_line_once(self, size: int, failures: set[int]) -> None:
        """However the log is cut, and whatever fails, each line is there once, also the last without its end."""
        server = CursorServer("a\nbb\n\nccc\r\nzum Schluß".replace("ß", "s"), size, failures)

        assert follow(server, cursors=True) == ["a", "bb", "", "ccc\r", "zum Schlus"]

    def test_continues_at_the_cursor(self) -> None:
        """The selection of the first request is not repeated with a cursor."""
        server = CursorServer("ab\n", 1, set())
        follow(server, cursors=True)

        assert [query.get("cursor") for query in server.queries] == ["start", "1", "2"]

    def test_waits_less_at_a_proxy_that_cuts(self) -> None:
        """After a broken connection the next request waits for a shorter time."""
        server = CursorServer("a\n", 10, {0})
        follow(server, cursors=True)

        assert [query["wait"] for query in server.queries] == [25, 1]


class TestByTime:
    """A server without cursors."""

    def test_each_line_once(self) -> None:
        """Lines with equal times, also those that are equal themselves, are there as often as the pod wrote them."""
        lines = [(1, "a"), (1, "a"), (1, "b"), (2, "a"), (5, "c"), (5, "c"), (9, "d")]
        server = TimedServer({"pod-1": lines}, {"pod-1": 1}, end=10)

        assert follow(server, cursors=False) == [line for _, line in lines]

    def test_goes_on_with_the_next_attempt(self) -> None:
        """After a retry the log of the next pod follows, with the last lines of the pod before it."""
        pods = {"pod-1": [(1, "a"), (3, "last")], "pod-2": [(4, "again"), (6, "end")]}
        server = TimedServer(pods, {"pod-1": 1, "pod-2": 4}, end=8, step=2)

        assert follow(server, cursors=False) == ["a", "last", "again", "end"]

    def test_a_job_that_never_started(self) -> None:
        """A Job that ends without a log has none, and the loop ends."""
        assert follow(TimedServer({}, {}, end=6), cursors=False) == []

    def test_pods_that_take_turns(self) -> None:
        """Where the server shows now one pod and now another, no line is repeated."""
        turns = itertools.cycle("122")

        class Turns(TimedServer):
            """A server whose pods take turns."""

            def send(self, _: str, path: str, query: dict[str, Any], **__: object) -> Answer:
                """Show the pods in turn."""
                if path.endswith("/logs"):
                    self.starts = {f"pod-{next(turns)}": 0}
                return super().send("GET", path, query)

        pods = {"pod-1": [(1, "a"), (4, "b")], "pod-2": [(1, "x"), (3, "y")]}
        lines = follow(Turns(pods, {"pod-1": 0, "pod-2": 0}, end=12), cursors=False)

        assert len(lines) == len(set(lines)) >= 3
