"""An API server that is far away: a process that passes bytes on, each piece after a delay. It ends with its input.

`python far_away.py 127.0.0.1:6443 0.01` prints the port that it listens on. What is encrypted stays so.
"""

from __future__ import annotations

import asyncio
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
def far_away(url: str, delay: float) -> Iterator[str]:
    """The URL at which the server at *url* is *delay* seconds away."""
    command = [sys.executable, __file__, urlsplit(url).netloc, str(delay)]
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
    """Listens until its input ends."""
    host, _, port = sys.argv[1].rpartition(":")
    delay = float(sys.argv[2])

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        beyond = await asyncio.open_connection(host, int(port))
        # There is the whole of the delay on the way to the server, and none on the way back: a round trip takes it.
        await asyncio.gather(_passed(reader, beyond[1], delay), _passed(beyond[0], writer, 0.0))

    server = await asyncio.start_server(connected, HOST, 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    server.close()


async def _passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    loop = asyncio.get_running_loop()
    with suppress(OSError):
        while piece := await reader.read(PIECE):
            if delay:
                loop.call_later(delay, writer.write, piece)
            else:
                writer.write(piece)
    loop.call_later(delay, writer.close)


if __name__ == "__main__":
    asyncio.run(main())
