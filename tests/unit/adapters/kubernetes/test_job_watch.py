"""Changes of one Job as they happen: one watch at a time, and what its end means."""

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
    """The seconds that were slept, none of them really."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    return slept


def changes(site: ScriptedServer, seconds: float = 60.0) -> JobWatch:
    """The Job's changes as Alice sees them, for so many seconds."""
    return JobWatch(Cluster(api_at(site.url)), ALICE, Deadline.after(seconds))


def event(kind: str, version: str) -> bytes:
    """A line of a watch."""
    return json.dumps({"type": kind, "object": {"metadata": {"resourceVersion": version}}}).encode() + b"\n"


def stream(*lines: bytes) -> HttpResponse:
    """A watch that tells *lines* and ends."""
    return HttpResponse(200, [], stream=iter(lines))


def for_ever(*lines: bytes) -> Iterator[bytes]:
    """A watch that tells *lines* and goes on: to read further would be to wait for something that never comes."""
    yield from lines
    raise AssertionError("read further than the change")


def silence(until: threading.Event) -> Iterator[bytes]:
    """A watch in which nothing happens."""
    yield event("ADDED", "7")
    until.wait(60)


class TestWatch:
    """What is asked."""

    @pytest.mark.parametrize(("seconds", "timeout"), [(60, "5"), (1.5, "2")])
    def test_is_of_one_job_as_the_caller(self, site: ScriptedServer, seconds: float, timeout: str) -> None:
        """By its name, until it is worth looking anyway, or as long as the caller waits; from what is there."""
        site.on(JOBS, stream(event("ADDED", "8")))

        changes(site, seconds).wait(TEAM_A, TRAIN_1, "7")

        (asked,) = site.at(JOBS)
        watched = [("watch", "true"), ("fieldSelector", "metadata.name=train-1")]
        assert asked.query == [*watched, ("timeoutSeconds", timeout)]
        assert asked.values("Impersonate-Group") == ["researcher:team-a"]

    def test_is_none_when_the_time_is_over(self, site: ScriptedServer) -> None:
        """Nobody is asked, and the caller goes with what there is."""
        assert not changes(site, 0).wait(TEAM_A, TRAIN_1, "7")
        assert site.asked == []


class TestChange:
    """What counts as one."""

    @pytest.mark.parametrize("kind", ["ADDED", "MODIFIED", "DELETED"])
    def test_another_version_ends_the_wait_at_once(self, site: ScriptedServer, pauses: list[float], kind: str) -> None:
        """The rest of the stream is not read."""
        site.on(JOBS, HttpResponse(200, [], stream=for_ever(event(kind, "8"))))

        assert changes(site).wait(TEAM_A, TRAIN_1, "7")
        assert (pauses, len(site.at(JOBS))) == ([], 1)

    def test_the_version_that_is_known_is_none(self, site: ScriptedServer, pauses: list[float]) -> None:
        """A watch begins with the Job as it is."""
        site.on(JOBS, stream(event("ADDED", "7"), event("BOOKMARK", "9"), event("MODIFIED", "8")))

        assert changes(site).wait(TEAM_A, TRAIN_1, "7")
        assert pauses == []


class TestBroken:
    """A watch that ends without a change: look again, in a moment."""

    @pytest.mark.parametrize(
        "reply",
        [
            pytest.param(stream(), id="cut at once"),
            pytest.param(stream(event("ADDED", "7")), id="cut after the start"),
            pytest.param(
                stream(b'{"type":"ERROR","object":{"code":410,"reason":"Expired"}}\n'), id="410 in the stream"
            ),
            pytest.param(stream(b'{"type":"MODI\n', b"[1]\n", b"[" * 100_000 + b"\n"), id="no events"),
            pytest.param(status_reply(410, reason="Expired"), id="410"),
            pytest.param(status_reply(403, reason="Forbidden"), id="may not watch"),
            pytest.param(status_reply(500), id="failure"),
        ],
    )
    def test_is_worth_a_look_after_a_pause(
        self, site: ScriptedServer, pauses: list[float], reply: HttpResponse
    ) -> None:
        """Never in a loop without rest, and never an error: the next look tells of one."""
        site.on(JOBS, reply)

        assert changes(site).wait(TEAM_A, TRAIN_1, "7")
        assert (pauses, len(site.at(JOBS))) == ([PAUSE_SECONDS], 1)

    def test_pause_ends_with_the_wait(self, site: ScriptedServer, pauses: list[float]) -> None:
        """It is no longer than what is left."""
        site.on(JOBS, stream())

        changes(site, 0.5).wait(TEAM_A, TRAIN_1, "7")

        assert pauses[0] < 0.5

    def test_silence_is_worth_a_look(self, site: ScriptedServer) -> None:
        """A pod's trouble changes nothing about its Job: after some seconds it is looked for."""
        closed = threading.Event()
        site.on(JOBS, HttpResponse(200, [], stream=silence(closed)))
        waiting = changes(site, 0.3)

        assert waiting.wait(TEAM_A, TRAIN_1, "7")
        assert not waiting.wait(TEAM_A, TRAIN_1, "7")
        closed.set()

    def test_time_that_ends_in_the_midst_is_no_error(
        self, site: ScriptedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The caller waited as long as was asked for."""
        monkeypatch.setattr(Deadline, "within", lambda _, __: Deadline(0.0))

        assert changes(site).wait(TEAM_A, TRAIN_1, "7")
        assert site.at(JOBS) == []
