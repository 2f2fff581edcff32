"""The table of a run in docs/explain/performance.md, and the description of the run below it."""

from __future__ import annotations

import platform
import re
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.artefacts import PEERS
from tests.bench.figures import table
from tests.cluster.assets import kubernetes_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.bench.figures import Result

PAGE = Path(__file__).parents[2] / "docs/explain/performance.md"
PACKAGES = ("chalice", "kubernetes", "msgspec", "pydantic", "PyJWT", "botocore", "awslambdaric")
PEER_PACKAGES = ("chalice", "fastapi", "kubernetes", "boto3", "pydantic", "pyjwt")

_MARKED = re.compile(r"(?<=<!-- bench -->\n).*?(?=<!-- /bench -->)", re.DOTALL)


def describe_run(rounds: int, seconds: float) -> list[str]:
    """Return the description of a run: command, machine, versions and spread."""
    machine = f"Python {platform.python_version()} on {platform.machine()}, {_processor()}"
    return [
        f"`make bench`, in {seconds / 60:.0f} minutes: {machine}; Kubernetes {kubernetes_version()}.",
        f"Medians of {rounds} rounds in turns, minimum and maximum in parentheses.",
        "Ours: " + ", ".join(f"{name} {version(name)}" for name in PACKAGES) + ".",
        "Peers: " + ", ".join(f"{name} {_pinned(name)}" for name in PEER_PACKAGES) + ".",
    ]


def write(results: Iterable[Result], run: Sequence[str], page: Path = PAGE) -> None:
    """Write the table, and the description of its run, between the markers in *page*."""
    text = page.read_text(encoding="utf-8")
    content = f"{table(results)}\n\n" + "\n".join(run) + "\n"
    if not _MARKED.search(text):
        raise LookupError(f"{page.name} has no markers for the table.")
    page.write_text(_MARKED.sub(lambda _: content, text), encoding="utf-8")


def _pinned(name: str) -> str:
    """Return the version of a package in the peers' environment."""
    match = re.search(rf"^{name}==(\S+)", (PEERS / "requirements.txt").read_text("utf-8"), re.MULTILINE)
    return match[1] if match else "unknown"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else "an unknown processor"
