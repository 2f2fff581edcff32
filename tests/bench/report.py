"""The table of a run in docs/explain/performance.md, and the circumstances of the run below it."""

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
OURS = ("chalice", "kubernetes", "msgspec", "pydantic", "PyJWT", "botocore", "awslambdaric")
THEIRS = ("chalice", "fastapi", "kubernetes", "boto3", "pydantic", "pyjwt")

_PLACE = re.compile(r"(?<=<!-- bench -->\n).*?(?=<!-- /bench -->)", re.DOTALL)


def circumstances(rounds: int, seconds: float) -> list[str]:
    """The sentences that belong to the figures of a run: command, machine, versions and spread."""
    machine = f"Python {platform.python_version()} on {platform.machine()}, {_processor()}"
    return [
        f"`make bench`, in {seconds / 60:.0f} minutes: {machine}; Kubernetes {kubernetes_version()}.",
        f"Medians of {rounds} rounds in turns, least and most in brackets.",
        "Ours: " + ", ".join(f"{name} {version(name)}" for name in OURS) + ".",
        "Peers: " + ", ".join(f"{name} {_pinned(name)}" for name in THEIRS) + ".",
    ]


def write(results: Iterable[Result], told: Sequence[str], page: Path = PAGE) -> None:
    """Puts the table, and what is told of its run, between the marks in *page*."""
    text = page.read_text(encoding="utf-8")
    shown = f"{table(results)}\n\n" + "\n".join(told) + "\n"
    if not _PLACE.search(text):
        raise LookupError(f"{page.name} has no place for the table.")
    page.write_text(_PLACE.sub(lambda _: shown, text), encoding="utf-8")


def _pinned(name: str) -> str:
    """The version of a package in the peers' environment."""
    found = re.search(rf"^{name}==(\S+)", (PEERS / "requirements.txt").read_text("utf-8"), re.MULTILINE)
    return found[1] if found else "unknown"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else "an unknown processor"
