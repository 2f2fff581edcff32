"""Where the time goes: what each import is of a cold start, and each step of a list."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from chalicelib.domain.job.view import view
from chalicelib.domain.kubernetes.jobs import JobList
from chalicelib.usecases.list_jobs import JobPage
from tests.bench.cold_start import spent
from tests.bench.figures import Comparison, Figure, in_turns
from tests.bench.long_lists import job_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.artefacts import Artefacts
    from tests.bench.figures import Result

WHOLE = "all that list_jobs imports"
IMPORTS = {
    WHOLE: "import app",
    "Python itself": "pass",
    "chalice": "import chalice",
    "msgspec": "import msgspec",
    "PyJWT with cryptography": "import jwt",
    "urllib3": "import urllib3",
    "kubernetes, slimmed, with urllib3": "import kubernetes.client.rest",
    "TLS with the web's authorities": "import ssl; ssl.create_default_context()",
    "pydantic": "import pydantic",
}
"""Each in a process of its own, so each with Python itself and with whatever it shares with others."""
JOBS = 1_000
PAGE = 500


def measured(made: Artefacts, rounds: int) -> Iterator[Result]:
    """Imports beside all of them, then the steps of a list."""
    seen = in_turns({what: partial(_import, made, code) for what, code in IMPORTS.items()}, rounds)
    whole = Figure.of(WHOLE, "ms", seen.pop(WHOLE))
    for what, samples in seen.items():
        yield Comparison(Figure.of(f"part of a cold start, CPU: {what}", "ms", samples), whole)
    yield from _steps(rounds)


def _import(made: Artefacts, code: str) -> float:
    """Processor milliseconds of a new process that runs *code*."""
    environment = {"PYTHONPATH": f"{made.ours}:{made.runtime}", "PYTHONDONTWRITEBYTECODE": "1", "ENDPOINT": "list_jobs"}
    before = spent()
    subprocess.run([sys.executable, "-S", "-c", code], env=environment, cwd=made.ours, check=True)
    return (spent() - before) * 1000


def _steps(rounds: int) -> Iterator[Result]:
    pages = [job_list("researcher-long", JOBS, start, PAGE) for start in range(0, JOBS, PAGE)]
    lists = [msgspec.json.decode(page, type=JobList) for page in pages]
    views = [[view("long", job, ()) for job in page.items] for page in lists]
    steps: dict[str, Callable[[], object]] = {
        "all of them": lambda: [_answered(page) for page in pages],
        "decoding what is needed": lambda: [msgspec.json.decode(page, type=JobList) for page in pages],
        "making views": lambda: [[view("long", job, ()) for job in page.items] for page in lists],
        "encoding the answers": lambda: [msgspec.json.encode(JobPage(page)) for page in views],
    }
    seen = in_turns({what: partial(_busy, step) for what, step in steps.items()}, rounds)
    whole = Figure.of("all of them", "ms", seen.pop("all of them"))
    for what, samples in seen.items():
        yield Comparison(Figure.of(f"step of a list of {JOBS:,} Jobs, CPU: {what}", "ms", samples), whole)


def _answered(page: bytes) -> bytes:
    found = msgspec.json.decode(page, type=JobList)
    return msgspec.json.encode(JobPage([view("long", job, ()) for job in found.items]))


def _busy(step: Callable[[], object]) -> float:
    begun = time.process_time()
    step()
    return (time.process_time() - begun) * 1000
