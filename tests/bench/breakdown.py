"""A breakdown of the time: the imports of a cold start, and the steps of a list."""

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
from tests.bench.cold_start import cpu_seconds
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
"""Each import runs in a process of its own, so it includes Python and the packages that several of them share."""
JOBS = 1_000
PAGE = 500


def measure(artefacts: Artefacts, rounds: int) -> Iterator[Result]:
    """Compare the imports with all of them, then the steps of a list with the whole."""
    samples_by_name = in_turns({what: partial(_import, artefacts, code) for what, code in IMPORTS.items()}, rounds)
    whole = Figure.of(WHOLE, "ms", samples_by_name.pop(WHOLE))
    for what, samples in samples_by_name.items():
        yield Comparison(Figure.of(f"import of a cold start, CPU: {what}", "ms", samples), whole)
    yield from _steps(rounds)


def _import(artefacts: Artefacts, code: str) -> float:
    """Return the CPU milliseconds of a new process that runs *code*."""
    environment = {
        "PYTHONPATH": f"{artefacts.ours}:{artefacts.runtime}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "ENDPOINT": "list_jobs",
    }
    before = cpu_seconds()
    subprocess.run([sys.executable, "-S", "-c", code], env=environment, cwd=artefacts.ours, check=True)
    return (cpu_seconds() - before) * 1000


def _steps(rounds: int) -> Iterator[Result]:
    pages = [job_list("researcher-long", JOBS, start, PAGE) for start in range(0, JOBS, PAGE)]
    lists = [msgspec.json.decode(page, type=JobList) for page in pages]
    views = [[view("long", job, ()) for job in page.items] for page in lists]
    steps: dict[str, Callable[[], object]] = {
        "all of them": lambda: [_respond(page) for page in pages],
        "decoding the needed fields": lambda: [msgspec.json.decode(page, type=JobList) for page in pages],
        "building the views": lambda: [[view("long", job, ()) for job in page.items] for page in lists],
        "encoding the responses": lambda: [msgspec.json.encode(JobPage(page)) for page in views],
    }
    samples_by_name = in_turns({what: partial(_cpu_milliseconds, step) for what, step in steps.items()}, rounds)
    whole = Figure.of("all of them", "ms", samples_by_name.pop("all of them"))
    for what, samples in samples_by_name.items():
        yield Comparison(Figure.of(f"step of a list of {JOBS:,} Jobs, CPU: {what}", "ms", samples), whole)


def _respond(page: bytes) -> bytes:
    decoded = msgspec.json.decode(page, type=JobList)
    return msgspec.json.encode(JobPage([view("long", job, ()) for job in decoded.items]))


def _cpu_milliseconds(step: Callable[[], object]) -> float:
    started = time.process_time()
    step()
    return (time.process_time() - started) * 1000
