"""A server that is far away: a process that passes bytes on, in each direction after half of the round trip time.

`python far_away.py 127.0.0.1:6443 0.02` prints the port that it listens on, and ends with its input. What is encrypted
stays so. Each piece has a time of its own, so pieces that follow one another do not add their delays. A kernel accepts
a connection before anyone can delay it: so the client's first bytes wait for the round trip that a TCP connect takes.
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
PIECE = 2**16


@contextmanager
def far_away(url: str, round_trip: float) -> Iterator[str]:
    """The https URL at which the server at *url* answers after *round_trip* seconds more."""
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
    """Listen until the input ends."""
    host, _, port = sys.argv[1].rpartition(":")
    round_trip = float(sys.argv[2])

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened = asyncio.get_running_loop().time() + round_trip
        beyond = await asyncio.open_connection(host, int(port))
        there = _passed(reader, beyond[1], round_trip / 2, opened)
        await asyncio.gather(there, _passed(beyond[0], writer, round_trip / 2))

    server = await asyncio.start_server(connected, HOST, 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    server.close()


async def _passed(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float, not_before: float = 0.0
) -> None:
    """Pass on what *reader* reads, each piece *delay* seconds after it came, or after *not_before*; then close."""
    clock = asyncio.get_running_loop().time
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    writing = asyncio.create_task(_write(pieces, writer))
    with suppress(OSError):
        while piece := await reader.read(PIECE):
            pieces.put_nowait((max(clock(), not_before) + delay, piece))
    pieces.put_nowait((clock() + delay, b""))
    await writing


async def _write(pieces: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
    """Write each piece at its time, until an empty one comes."""
    clock = asyncio.get_running_loop().time
    while True:
        due, piece = await pieces.get()
        await asyncio.sleep(due - clock())
        if not piece:
            writer.close()
            return
        writer.write(piece)


def _loop() -> asyncio.AbstractEventLoop:
    """A loop whose timers are exact to microseconds: by epoll they are rounded up to milliseconds."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=_loop) as runner:
        runner.run(main())
