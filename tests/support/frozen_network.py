"""A network whose open connections die while the client does not notice, as when Lambda freezes a function."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
from typing import Literal, Self
from urllib.parse import urlsplit

from infra.local.http_server import HOST

Death = Literal["reset", "closed", "silent", "lost"]
"""What the next request on a dead connection gets: a reset, an end, or nothing. With `lost` the server processes it,
and a reset replaces its response."""

_LINGER = struct.pack("ii", 1, 0)
"""Makes close() send a reset."""


class FrozenNetwork:
    """Forwards connections to the server at *upstream*, until a test kills them; a context manager."""

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self.connections = 0
        self._scheme = parts.scheme
        self._upstream = (str(parts.hostname), int(parts.port or 0))
        self._links: list[_Link] = []
        self._listening = socket.create_server((HOST, 0), backlog=256)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        """Return the network, which already forwards."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening, and close all connections."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()
        for link in self._links:
            link.end()

    @property
    def url(self) -> str:
        """The URL at which clients reach the server."""
        return f"{self._scheme}://{HOST}:{self._listening.getsockname()[1]}"

    def kill(self, death: Death) -> int:
        """Let every open connection die, and return how many there are."""
        alive = [link for link in list(self._links) if link.thread.is_alive() and not link.death]
        for link in alive:
            link.death = death
        return len(alive)

    @property
    def requests_on_dead(self) -> int:
        """The number of dead connections on which a client sent a request."""
        return sum(link.used_when_dead for link in self._links)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # accept raises when the socket is shut down
            while True:
                client, _ = self._listening.accept()
                self.connections += 1
                self._links.append(_Link(client, socket.create_connection(self._upstream)))
                self._links[-1].thread.start()  # only now, so that `kill` knows every connection that has a response


class _Link:
    """One connection, forwarded by a thread of its own."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.death: Death | None = None
        self.used_when_dead = False
        self._client, self._server = client, server
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.thread = threading.Thread(target=self._forward, daemon=True)

    def end(self) -> None:
        """Wake the thread, which closes both sockets."""
        for one in (self._client, self._server):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self.thread.join(timeout=2)

    def _forward(self) -> None:
        with self._client, self._server, contextlib.suppress(OSError):
            while all(self._pass_on(one) for one in select.select([self._client, self._server], [], [])[0]):
                pass

    def _pass_on(self, source: socket.socket) -> bool:
        """Forward what *source* sent; return False at the end of the connection."""
        content, death = source.recv(2**16), self.death
        if source is self._client:
            return self._to_server(content, death)
        if death is None:
            self._client.sendall(content)
        elif death == "lost":
            self._reset()
            return False
        return bool(content)

    def _to_server(self, content: bytes, death: Death | None) -> bool:
        self.used_when_dead |= bool(death and content)
        if death in (None, "lost"):
            self._server.sendall(content)
        elif death == "reset":
            self._reset()
        return bool(content) and death not in ("reset", "closed")

    def _reset(self) -> None:
        self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
