"""A server that is far away. What is measured can only take longer on a busy machine, so most bounds are lower ones."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.bench.far_away import HOST, PIECE, far_away

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUND_TRIP = 0.1
PIECES = 64
"""As many half round trips, one after another, take 3.2 s."""


class Echo(threading.Thread):
    """Sends back on one connection whatever comes, and notes when the last of it came."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listening = socket.create_server((HOST, 0))
        self.received = 0.0

    def run(self) -> None:
        """Answer until the client closes."""
        connection, _ = self.listening.accept()
        with connection:
            while piece := connection.recv(PIECE):
                self.received = time.monotonic()
                connection.sendall(piece)


class Way(NamedTuple):
    """Seconds that bytes took to the server, and their echo back."""

    there: float
    back: float


class Client:
    """A connection to *echo* by way of *url*."""

    def __init__(self, url: str, echo: Echo) -> None:
        self._echo = echo
        self.begun = time.monotonic()
        place = urlsplit(url)
        self.connection = socket.create_connection((str(place.hostname), place.port or 0), timeout=30)

    def echoed(self, sent: bytes) -> Way:
        """Return how long *sent* takes there and back, after it has come back whole."""
        begun = time.monotonic()
        threading.Thread(target=self.connection.sendall, args=(sent,)).start()
        answer = bytearray()
        while len(answer) < len(sent):
            answer += self.connection.recv(PIECE)
        ended = time.monotonic()

        assert answer == sent
        return Way(self._echo.received - begun, ended - self._echo.received)


@pytest.fixture
def client() -> Iterator[Client]:
    """A new connection to a server that is ROUND_TRIP away."""
    echo = Echo()
    echo.start()
    with closing(echo.listening), far_away(f"https://{HOST}:{echo.listening.getsockname()[1]}", ROUND_TRIP) as url:
        client = Client(url, echo)
        with client.connection:
            yield client
    echo.join()


def test_each_direction_takes_half_of_the_round_trip(client: Client) -> None:
    """On a connection that is open; all bytes arrive, in their order."""
    client.echoed(b"first")

    way = client.echoed(b"hello")

    assert way.there >= ROUND_TRIP / 2
    assert way.back >= ROUND_TRIP / 2


def test_a_connect_takes_a_round_trip_too(client: Client) -> None:
    """So the first bytes of a connection come back after two."""
    client.echoed(b"hello")

    assert time.monotonic() - client.begun >= 2 * ROUND_TRIP


def test_delays_do_not_add_up(client: Client) -> None:
    """Bytes that follow one another are on their way at the same time, as on a wire."""
    client.echoed(b"first")

    way = client.echoed(b"x" * PIECE * PIECES)

    assert way.there + way.back < PIECES * ROUND_TRIP / 2
