"""The parts of `make bench`: its table, the measured processes, and the latency proxy."""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.bench.figures import Comparison, Figure, Limit, as_json, in_turns
from tests.bench.latency_proxy import CHUNK, HOST, latency_proxy
from tests.bench.report import describe_run, write
from tests.bench.target import Target

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bench.figures import Result

OLD_PAGE = "before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n"
OURS, PEER = Figure.of("list_jobs", "ms", [30, 10, 20]), Figure.of("peer", "ms", [200.0])
CODE = """
allocated = []
def double(number):
    print("not a response")
    allocated.append(bytearray(number * 10**6))
    return 2 * number
"""
ROUND_TRIP = 0.1
CHUNKS = 64
"""64 half round trips in sequence would take 3.2 s."""


def test_table_replaces_the_old_one(tmp_path: Path) -> None:
    """The table has figures, missed goals and a description of the run; a page without markers is an error."""
    page = tmp_path / "performance.md"
    page.write_text(OLD_PAGE, encoding="utf-8")
    results: list[Result] = [Comparison(OURS, PEER, 0.1), Comparison(OURS, PEER, 0.09), Limit(OURS, 19), Limit(PEER)]

    write(results, run := describe_run(15, 600), page)

    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- bench -->\n| what |")
    assert text.endswith("\n".join([
        "| list_jobs | 20.0 (10.0 to 30.0) ms | peer: 200 ms | 0.10 | <= 0.1 |",
        "| list_jobs | 20.0 (10.0 to 30.0) ms | peer: 200 ms | 0.10 **missed** | <= 0.09 |",
        "| list_jobs | 20.0 (10.0 to 30.0) ms **missed** | | | <= 19 ms |",
        "| peer | 200 ms | | |  |", "", *run, "<!-- /bench -->", "after", "",
    ]))  # fmt: skip
    assert all(
        part in " ".join(run) for part in ("`make bench`, in 10 minutes", "15 rounds", "Kubernetes 1.", "fastapi")
    )
    assert [(each["kind"], each["ours"]["median"]) for each in as_json(results)][::3] == [
        ("Comparison", 20),
        ("Limit", 200),
    ]
    page.write_text("before\n", encoding="utf-8")
    with pytest.raises(LookupError):
        write([], [], page)


def test_first_round_is_discarded() -> None:
    """The first round only fills caches; targets run in turns, and each round begins with another one."""
    calls: list[str] = []

    def target(name: str) -> float:
        calls.append(name)
        return float(len(calls))

    samples = in_turns({"a": lambda: target("a"), "b": lambda: target("b")}, rounds=2)

    assert calls == ["b", "a", "a", "b", "b", "a"]
    assert samples == {"a": [3.0, 6.0], "b": [4.0, 5.0]}


def test_target_handles_several_lists(tmp_path: Path) -> None:
    """A target reports its peak memory, its output is no response, and an unexpected response is an error."""
    (tmp_path / "own.py").write_text(CODE)

    with Target("own:double", [tmp_path], os.environ) as target:
        small, large = target.run([1, 2], {2, 4}), target.run([50], {100})
        with pytest.raises(AssertionError, match="own:double returned"):
            target.run([1], {3})

    assert (small.responses, len(small.wall), large.responses, len(large.wall)) == ([2, 4], 2, [100], 1)
    assert large.peak - small.peak == pytest.approx(50, abs=5)


def echo(listening: socket.socket) -> None:
    """Echo the bytes of one connection."""
    connection, _ = listening.accept()
    with connection:
        while chunk := connection.recv(CHUNK):
            connection.sendall(chunk)


def measure_echo(connection: socket.socket, data: bytes) -> float:
    """Return the seconds that *data* takes to be echoed."""
    started = time.monotonic()
    threading.Thread(target=connection.sendall, args=(data,)).start()
    received = bytearray()
    while len(received) < len(data):
        received += connection.recv(CHUNK)
    assert received == data
    return time.monotonic() - started


def test_latency_proxy_does_not_limit_the_rate() -> None:
    """A connect and an echo take a round trip each, and consecutive chunks share it."""
    with socket.create_server((HOST, 0)) as listening:
        server = threading.Thread(target=echo, args=(listening,))
        server.start()
        with latency_proxy(f"https://{HOST}:{listening.getsockname()[1]}", ROUND_TRIP) as url:
            started = time.monotonic()
            with socket.create_connection((HOST, urlsplit(url).port or 0), timeout=30) as connection:
                measure_echo(connection, b"hello")
                first = time.monotonic() - started
                assert first >= 2 * ROUND_TRIP
                assert measure_echo(connection, b"hello") >= ROUND_TRIP
                assert measure_echo(connection, b"x" * CHUNK * CHUNKS) < CHUNKS * ROUND_TRIP / 2
        server.join()
