"""The walk that the README takes its reader: its blocks of commands, and what it says they answer."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import app

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(app.__file__).parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
STARTS = ("make run", "make test")
"""Blocks that are not part of the walk: the first is its server, the second is what runs its tests."""
MARK = "\x1e"


class Step(NamedTuple):
    """A block of commands, and the JSON documents that the README says they answer."""

    commands: str
    shown: str

    def __str__(self) -> str:
        """How it begins."""
        return self.commands.partition("\n")[0][:60]


def steps() -> list[Step]:
    """The README's blocks of commands."""
    found = re.findall(r"```sh\n(.*?)```(?:\n```json\n(.*?)```)?", README, re.DOTALL)
    return [Step(*one) for one in found if one[0].strip() not in STARTS]


def recipes() -> list[str]:
    """The README's recipes in Python, each of which goes on where the one before it ended."""
    chapter = README.partition("\n## Recipes\n")[2].partition("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", chapter, re.DOTALL)


def documents(text: str) -> list[Any]:
    """The JSON documents in *text*, one after the other."""
    found, text = [], text.strip()
    while text:
        document, end = json.JSONDecoder().raw_decode(text)
        found.append(document)
        text = text[end:].strip()
    return found


def differences(shown: Any, seen: Any, place: str = "") -> Iterator[str]:  # noqa: ANN401 - JSON
    """Where *seen* lacks something that is *shown*; it may hold more."""
    if isinstance(shown, dict) and isinstance(seen, dict):
        for key, value in shown.items():
            yield from differences(value, seen.get(key), f"{place}/{key}")
    elif isinstance(shown, list) and isinstance(seen, list) and len(shown) == len(seen):
        for number, (one, other) in enumerate(zip(shown, seen, strict=True)):
            yield from differences(one, other, f"{place}/{number}")
    elif shown != seen:
        yield f"{place}: shown {shown!r}, seen {seen!r}"


def clone_into(folder: Path) -> None:
    """Makes *folder* a copy of what is in version control, with this environment."""
    told = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True)
    for name in told.stdout.decode().splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")


def pasted(folder: Path) -> list[str]:
    """What each block answers in *folder*, all of them pasted into one shell."""
    script = "".join(f"{step.commands}\nprintf '{MARK}'\n" for step in steps())
    told = subprocess.run(["bash", "-eu"], input=script, cwd=folder, check=True, capture_output=True, text=True)
    return told.stdout.split(MARK)


def surprises(step: Step, answer: str) -> list[str]:
    """Where *answer* lacks something that the README shows."""
    return list(differences(documents(step.shown), documents(answer))) if step.shown else []
