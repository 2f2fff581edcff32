"""A server that is far away."""

from __future__ import annotations

import socket
import threading
import time
from urllib.parse import urlsplit

from tests.bench.far_away import HOST, far_away


def test_bytes_arrive_after_the_delay() -> None:
    """All of them, in their order, and not sooner."""
    with socket.create_server((HOST, 0)) as listening:
        threading.Thread(target=_echo, args=(listening,), daemon=True).start()
        with far_away(f"https://{HOST}:{listening.getsockname()[1]}", 0.05) as url:
            place = urlsplit(url)
            with socket.create_connection((str(place.hostname), place.port or 0), timeout=5) as connection:
                begun = time.monotonic()
                connection.sendall(b"hello")
                answer = connection.recv(5, socket.MSG_WAITALL)
                took = time.monotonic() - begun

    assert answer == b"hello"
    assert took >= 0.05


def _echo(listening: socket.socket) -> None:
    connection, _ = listening.accept()
    with connection:
        connection.sendall(connection.recv(5, socket.MSG_WAITALL))
