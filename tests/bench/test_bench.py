"""What `make bench` stands on: its table, the processes that it measures, and a server that is far away."""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.bench.far_away import HOST, PIECE, far_away
from tests.bench.figures import Comparison, Figure, Limit, as_json, in_turns
from tests.bench.report import circumstances, write
from tests.bench.subject import Subject

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bench.figures import Result

MARKED = "before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n"
OURS, PEER = Figure.of("list_jobs", "ms", [30, 10, 20]), Figure.of("peer", "ms", [200.0])
CODE = """
held = []
def doubled(number):
    print("not an answer")
    held.append(bytearray(number * 10**6))
    return 2 * number
"""
ROUND_TRIP = 0.1
PIECES = 64
"""As many half round trips, one after another, take 3.2 s."""


def test_table_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    """Median and spread, what is missed, and what was measured where; a page without a place for it is an error."""
    page = tmp_path / "performance.md"
    page.write_text(MARKED, encoding="utf-8")
    results: list[Result] = [Comparison(OURS, PEER, 0.1), Comparison(OURS, PEER, 0.09), Limit(OURS, 19), Limit(PEER)]

    write(results, told := circumstances(15, 600), page)

    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- bench -->\n| what |")
    assert text.endswith("\n".join([
        "| list_jobs | 20.0 (10.0 to 30.0) ms | peer: 200 ms | 0.10 | <= 0.1 |",
        "| list_jobs | 20.0 (10.0 to 30.0) ms | peer: 200 ms | 0.10 **missed** | <= 0.09 |",
        "| list_jobs | 20.0 (10.0 to 30.0) ms **missed** | | | <= 19 ms |",
        "| peer | 200 ms | | |  |", "", *told, "<!-- /bench -->", "after", "",
    ]))  # fmt: skip
    assert all(
        part in " ".join(told) for part in ("`make bench`, in 10 minutes", "15 rounds", "Kubernetes 1.", "fastapi")
    )
    assert [(one["kind"], one["ours"]["median"]) for one in as_json(results)][::3] == [
        ("Comparison", 20),
        ("Limit", 200),
    ]
    page.write_text("before\n", encoding="utf-8")
    with pytest.raises(LookupError):
        write([], [], page)


def test_turns_leave_out_the_first() -> None:
    """It pays for what all later ones find ready; each subject has its turn in each round, and another begins."""
    asked: list[str] = []

    def subject(name: str) -> float:
        asked.append(name)
        return float(len(asked))

    seen = in_turns({"a": lambda: subject("a"), "b": lambda: subject("b")}, rounds=2)

    assert asked == ["b", "a", "a", "b", "b", "a"]
    assert seen == {"a": [3.0, 6.0], "b": [4.0, 5.0]}


def test_subject_answers_list_after_list(tmp_path: Path) -> None:
    """It tells its own peak, and what it prints is no answer; a wrong answer that is fast is no success."""
    (tmp_path / "own.py").write_text(CODE)

    with Subject("own:doubled", [tmp_path], os.environ) as subject:
        small, large = subject.ask([1, 2], {2, 4}), subject.ask([50], {100})
        with pytest.raises(AssertionError, match="own:doubled answered"):
            subject.ask([1], {3})

    assert (small.answers, len(small.wall), large.answers, len(large.wall)) == ([2, 4], 2, [100], 1)
    assert large.peak - small.peak == pytest.approx(50, abs=5)


def echo(listening: socket.socket) -> None:
    """Sends back on one connection whatever comes."""
    connection, _ = listening.accept()
    with connection:
        while piece := connection.recv(PIECE):
            connection.sendall(piece)


def echoed(connection: socket.socket, sent: bytes) -> float:
    """How many seconds *sent* takes there and back."""
    begun = time.monotonic()
    threading.Thread(target=connection.sendall, args=(sent,)).start()
    answer = bytearray()
    while len(answer) < len(sent):
        answer += connection.recv(PIECE)
    assert answer == sent
    return time.monotonic() - begun


def test_far_away_server_delays_bytes_and_not_their_rate() -> None:
    """A connect takes a round trip, and so does an echo; pieces that follow one another share it, as on a wire."""
    with socket.create_server((HOST, 0)) as listening:
        server = threading.Thread(target=echo, args=(listening,))
        server.start()
        with far_away(f"https://{HOST}:{listening.getsockname()[1]}", ROUND_TRIP) as url:
            begun = time.monotonic()
            with socket.create_connection((HOST, urlsplit(url).port or 0), timeout=30) as connection:
                echoed(connection, b"hello")
                first = time.monotonic() - begun
                assert first >= 2 * ROUND_TRIP
                assert echoed(connection, b"hello") >= ROUND_TRIP
                assert echoed(connection, b"x" * PIECE * PIECES) < PIECES * ROUND_TRIP / 2
        server.join()
