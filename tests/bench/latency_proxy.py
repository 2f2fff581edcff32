"""A proxy that adds latency: a process that forwards bytes in each direction after half of the round trip time.

`python latency_proxy.py 127.0.0.1:6443 0.02` prints its port, and ends with its standard input. TLS is not terminated.
Each chunk is delayed independently, so the delays of consecutive chunks do not add up. The kernel accepts a connection
without delay, so the client's first bytes are delayed by the round trip of a TCP connect.
"""

from __future__ import annotations

import asyncio
import selectors
import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "127.0.0.1"
CHUNK = 2**16


@contextmanager
def latency_proxy(url: str, round_trip: float) -> Iterator[str]:
    """Yield an https URL at which the server at *url* responds *round_trip* seconds later."""
    command = [sys.executable, __file__, urlsplit(url).netloc, str(round_trip)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    try:
        yield f"https://{HOST}:{int(process.stdout.readline())}"
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


async def main() -> None:
    """Listen until the standard input ends."""
    host, _, port = sys.argv[1].rpartition(":")
    round_trip = float(sys.argv[2])

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened = asyncio.get_running_loop().time() + round_trip
        upstream = await asyncio.open_connection(host, int(port))
        to_upstream = _forward(reader, upstream[1], round_trip / 2, opened)
        await asyncio.gather(to_upstream, _forward(upstream[0], writer, round_trip / 2))

    server = await asyncio.start_server(connect, HOST, 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    server.close()


async def _forward(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float, not_before: float = 0.0
) -> None:
    """Forward each chunk *delay* seconds after its arrival, or after *not_before*; then close *writer*."""
    clock = asyncio.get_running_loop().time
    chunks: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    writing = asyncio.create_task(_write(chunks, writer))
    with suppress(OSError):
        while chunk := await reader.read(CHUNK):
            chunks.put_nowait((max(clock(), not_before) + delay, chunk))
    chunks.put_nowait((clock() + delay, b""))
    await writing


async def _write(chunks: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
    """Write each chunk at its time, until an empty one."""
    clock = asyncio.get_running_loop().time
    while True:
        due, chunk = await chunks.get()
        await asyncio.sleep(due - clock())
        if not chunk:
            writer.close()
            return
        writer.write(chunk)


def _loop() -> asyncio.AbstractEventLoop:
    """Return a loop with timers of microseconds: with epoll they would be rounded up to milliseconds."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=_loop) as runner:
        runner.run(main())
