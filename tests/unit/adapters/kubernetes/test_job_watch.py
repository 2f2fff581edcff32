"""The watch of a Job: one request at a time, and the result of its end."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING

import pytest

from chalicelib.adapters.kubernetes.cluster import Cluster
from chalicelib.adapters.kubernetes.job_watch import PAUSE_SECONDS, JobWatch
from chalicelib.deadline import Deadline
from infra.local.wire import HttpResponse
from tests.support.builders import ALICE, TEAM_A, TRAIN_1
from tests.support.scripted_server import ScriptedServer, api_at, status_reply

if TYPE_CHECKING:
    from collections.abc import Iterator

JOBS = "/apis/batch/v1/namespaces/researcher-team-a/jobs"


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the seconds of each `time.sleep`, which returns at once."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    return slept


def job_watch(site: ScriptedServer, seconds: float = 60.0) -> JobWatch:
    """Return the watch for Alice, limited to *seconds*."""
    return JobWatch(Cluster(api_at(site.url)), ALICE, Deadline.after(seconds))


def event(kind: str, version: str) -> bytes:
    """Return a line of a watch."""
    return json.dumps({"type": kind, "object": {"metadata": {"resourceVersion": version}}}).encode() + b"\n"


def stream(*lines: bytes) -> HttpResponse:
    """Return a watch with *lines* that ends."""
    return HttpResponse(200, [], stream=iter(lines))


def lines_then_fail(*lines: bytes) -> Iterator[bytes]:
    """Yield *lines*, and fail if more is read."""
    yield from lines
    raise AssertionError("read further than the change")


def silence(until: threading.Event) -> Iterator[bytes]:
    """Yield the current state, and then nothing until *until* is set."""
    yield event("ADDED", "7")
    until.wait(60)


class TestWatch:
    """The request."""

    @pytest.mark.parametrize(("seconds", "timeout"), [(60, "5"), (1.5, "2")])
    def test_selects_the_job_as_the_caller(self, site: ScriptedServer, seconds: float, timeout: str) -> None:
        """The watch selects one Job by name, starts with its current state, and has a time-out."""
        site.on(JOBS, stream(event("ADDED", "8")))

        job_watch(site, seconds).wait(TEAM_A, TRAIN_1, "7")

        (request,) = site.at(JOBS)
        watched = [("watch", "true"), ("fieldSelector", "metadata.name=train-1")]
        assert request.query == [*watched, ("timeoutSeconds", timeout)]
        assert request.values("Impersonate-Group") == ["researcher:team-a"]

    def test_no_request_after_the_deadline(self, site: ScriptedServer) -> None:
        """If the time is over, no request is sent."""
        assert not job_watch(site, 0).wait(TEAM_A, TRAIN_1, "7")
        assert site.requests == []


class TestChange:
    """The events that end the wait."""

    @pytest.mark.parametrize("kind", ["ADDED", "MODIFIED", "DELETED"])
    def test_another_version_ends_the_wait_at_once(self, site: ScriptedServer, pauses: list[float], kind: str) -> None:
        """The rest of the stream is not read."""
        site.on(JOBS, HttpResponse(200, [], stream=lines_then_fail(event(kind, "8"))))

        assert job_watch(site).wait(TEAM_A, TRAIN_1, "7")
        assert (pauses, len(site.at(JOBS))) == ([], 1)

    def test_known_version_is_skipped(self, site: ScriptedServer, pauses: list[float]) -> None:
        """A watch begins with the current state of the Job."""
        site.on(JOBS, stream(event("ADDED", "7"), event("BOOKMARK", "9"), event("MODIFIED", "8")))

        assert job_watch(site).wait(TEAM_A, TRAIN_1, "7")
        assert pauses == []


class TestBroken:
    """A watch that ends without a change."""

    @pytest.mark.parametrize(
        "reply",
        [
            pytest.param(stream(), id="ends at once"),
            pytest.param(stream(event("ADDED", "7")), id="ends after the current state"),
            pytest.param(
                stream(b'{"type":"ERROR","object":{"code":410,"reason":"Expired"}}\n'), id="410 in the stream"
            ),
            pytest.param(stream(b'{"type":"MODI\n', b"[1]\n", b"[" * 100_000 + b"\n"), id="not events"),
            pytest.param(status_reply(410, reason="Expired"), id="410"),
            pytest.param(status_reply(403, reason="Forbidden"), id="forbidden"),
            pytest.param(status_reply(500), id="500"),
        ],
    )
    def test_job_is_read_again_after_a_pause(
        self, site: ScriptedServer, pauses: list[float], reply: HttpResponse
    ) -> None:
        """The pause prevents a busy loop, and the next read raises the error, if any."""
        site.on(JOBS, reply)

        assert job_watch(site).wait(TEAM_A, TRAIN_1, "7")
        assert (pauses, len(site.at(JOBS))) == ([PAUSE_SECONDS], 1)

    def test_pause_is_limited_by_the_deadline(self, site: ScriptedServer, pauses: list[float]) -> None:
        """The pause is not longer than the remaining time."""
        site.on(JOBS, stream())

        job_watch(site, 0.5).wait(TEAM_A, TRAIN_1, "7")

        assert pauses[0] < 0.5

    def test_silent_watch_ends(self, site: ScriptedServer) -> None:
        """The Job is read again after some seconds, as a pod that cannot start does not change its Job."""
        closed = threading.Event()
        site.on(JOBS, HttpResponse(200, [], stream=silence(closed)))
        waiting = job_watch(site, 0.3)

        assert waiting.wait(TEAM_A, TRAIN_1, "7")
        assert not waiting.wait(TEAM_A, TRAIN_1, "7")
        closed.set()

    def test_deadline_during_the_request_is_no_error(
        self, site: ScriptedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The caller has waited for the requested time."""
        monkeypatch.setattr(Deadline, "within", lambda _, __: Deadline(0.0))

        assert job_watch(site).wait(TEAM_A, TRAIN_1, "7")
        assert site.at(JOBS) == []
