"""The logs of containers for a follower: the requests, broken connections, and waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

import pytest

from chalicelib.adapters.kubernetes.cluster import Cluster
from chalicelib.adapters.kubernetes.container_logs import KubernetesLogs
from chalicelib.deadline import Deadline
from chalicelib.domain.errors import ClusterUnavailable, LogGone
from chalicelib.domain.job.log_stream import LogStream, Place
from chalicelib.domain.job.logs import ContainerRun
from infra.local.wire import HttpResponse
from tests.support.builders import ALICE, TEAM_A
from tests.support.scripted_server import ScriptedServer, api_at, status_reply

if TYPE_CHECKING:
    from collections.abc import Iterator

LOG = "/api/v1/namespaces/researcher-team-a/pods/train-1-abcde/log"
RUN = ContainerRun("train-1-abcde", "main")
TIME = "2026-11-24T10:00:00.000000000Z"
LINE = f"{TIME} one\n".encode()


def breaking(*chunks: bytes) -> Iterator[bytes]:
    """Yield *chunks*, and then break the connection."""
    yield from chunks
    raise ConnectionResetError


def logs_at(url: str, seconds: float = 60) -> KubernetesLogs:
    """Return the logs for Alice, who waits for so many *seconds*."""
    return KubernetesLogs(Cluster(api_at(url)), ALICE, Deadline.after(60), Deadline.after(seconds))


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the list of the pauses, which are not made."""
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    return pauses


class TestRead:
    """Reading on in a log."""

    def test_request(self, site: ScriptedServer) -> None:
        """The kubelet begins at a time, and each line with its timestamp."""
        site.on(LOG, HttpResponse(200, [], LINE))
        stream = LogStream(None, 100)

        assert logs_at(site.url).read(TEAM_A, ContainerRun("train-1-abcde", "main", restarted=True), TIME, stream)

        assert [piece.content for piece in stream.pieces] == [b"one\n"]
        query = {"container": "main", "previous": "true", "sinceTime": TIME, "timestamps": "true"}
        assert dict(site.at(LOG)[0].query) == query

    def test_ends_when_enough_was_read(self, site: ScriptedServer) -> None:
        """Of a log of any size only what is needed is read."""
        site.on(LOG, HttpResponse(200, [], LINE * 10_000))
        stream = LogStream(None, 4)

        assert logs_at(site.url).read(TEAM_A, RUN, None, stream)
        assert len(stream.pieces) == 1

    def test_broken_connection(self, site: ScriptedServer) -> None:
        """What has arrived is used, and the log counts as incomplete."""
        stream = LogStream(None, 100)
        site.on(LOG, HttpResponse(200, stream=breaking(LINE)))

        assert not logs_at(site.url).read(TEAM_A, RUN, None, stream)

        assert [piece.content for piece in stream.pieces] == [b"one\n"]

    def test_begins_with_the_second_line(self, site: ScriptedServer, pauses: list[float]) -> None:
        """After a rotation the first line is left out, also when the request is repeated."""
        stream = LogStream(None, 100)
        stream.begin_after_line()
        site.on(LOG, HttpResponse(200, stream=breaking()), HttpResponse(200, [], LINE + LINE.replace(b"one", b"two")))

        assert logs_at(site.url).read(TEAM_A, RUN, None, stream)

        assert ([piece.content for piece in stream.pieces], len(pauses)) == ([b"two\n"], 1)

    def test_nothing_arrives(self, site: ScriptedServer, pauses: list[float]) -> None:
        """The request is repeated; the error of the last attempt is temporary."""
        site.on(LOG, lambda _: HttpResponse(200, stream=breaking()))

        with pytest.raises(ClusterUnavailable):
            logs_at(site.url).read(TEAM_A, RUN, None, LogStream(None, 100))

        assert len(pauses) == len(site.at(LOG)) - 1

    def test_gone(self, site: ScriptedServer) -> None:
        """A deleted pod has no log."""
        site.on(LOG, status_reply(404))

        with pytest.raises(LogGone):
            logs_at(site.url).read(TEAM_A, RUN, None, LogStream(None, 100))


def test_last_time(site: ScriptedServer) -> None:
    """The timestamp of the last line is read without the log; a silent log has none."""
    site.on(LOG, HttpResponse(200, [], LINE), HttpResponse(200))

    assert [logs_at(site.url).last_time(TEAM_A, RUN) for _ in range(2)] == [TIME, ""]
    assert dict(site.at(LOG)[0].query) == {"container": "main", "tailLines": "1", "timestamps": "true"}


class TestWait:
    """Waiting for more of the log of a running container."""

    def test_until_there_is_more(self, site: ScriptedServer) -> None:
        """The wait ends with the first byte behind the place."""
        place = Place(TIME, 1, 4, crc32(b"one\n"))
        site.on(LOG, HttpResponse(200, [], LINE + LINE))
        stream = LogStream(place, 1)

        assert logs_at(site.url).wait(TEAM_A, RUN, stream)

        query = dict(site.at(LOG)[0].query)
        assert (query["follow"], query["sinceTime"]) == ("true", "2026-11-24T09:59:58Z")

    def test_log_ends(self, site: ScriptedServer, pauses: list[float]) -> None:
        """When the container ends, the Job is read again after a pause."""
        site.on(LOG, HttpResponse(200, [], LINE))

        assert logs_at(site.url).wait(TEAM_A, RUN, LogStream(None, 100))
        assert pauses == [1.0]

    def test_time_is_over(self, site: ScriptedServer) -> None:
        """Nothing is requested."""
        assert not logs_at(site.url, 0).wait(TEAM_A, RUN, LogStream(None, 1))
        assert site.at(LOG) == []
