"""`make run` as a script sees it: the session file, and the root of the server."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.eventually import eventually
from tests.support.scripted_server import unused_url

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def session(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start a session in a folder of its own; return its process and its port."""
    port = urlsplit(unused_url()).port or 0
    command = [sys.executable, "-m", "infra.local", "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, text=True) as process:
        yield process, port
        process.kill()


def is_open(port: int) -> bool:
    """Return whether the port accepts connections."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=30).close()
    except ConnectionRefusedError:
        return False
    return True


def test_session_file_is_complete_before_the_port_opens(
    session: tuple[subprocess.Popen[str], int], tmp_path: Path
) -> None:
    """A script that waits for the port can read the file at once; it is removed at the end."""
    process, port = session
    file = tmp_path / ".local" / "session.env"

    eventually(lambda: is_open(port) or process.poll() is not None, bool)
    lines = file.read_text("utf-8").splitlines()
    variables = dict(line.removeprefix("export ").split("=", 1) for line in lines)
    root = httpx.get(f"http://127.0.0.1:{port}/", timeout=60)
    health = httpx.get(f"{variables['BASE_URL']}/health", timeout=60)
    process.send_signal(signal.SIGINT)

    assert variables["BASE_URL"] == f"http://127.0.0.1:{port}/researcher/api/v1"
    assert (root.status_code, root.headers["Location"], health.status_code) == (302, "/researcher/api/docs", 200)
    assert process.wait(60) == 0
    assert not file.exists()
