"""The commands of the README, and the output that the README shows for them."""

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
SKIPPED_BLOCKS = ("make run", "make test")
"""Blocks that are not run: the first starts the server, the second runs the tests."""
MARK = "\x1e"


class Step(NamedTuple):
    """A block of commands, and the JSON documents that the README shows as its output."""

    commands: str
    expected: str

    def __str__(self) -> str:
        """Return the first line, shortened."""
        return self.commands.partition("\n")[0][:60]


def steps() -> list[Step]:
    """Return the README's blocks of commands."""
    found = re.findall(r"```sh\n(.*?)```(?:\n```json\n(.*?)```)?", README, re.DOTALL)
    return [Step(*block) for block in found if block[0].strip() not in SKIPPED_BLOCKS]


def recipes() -> list[str]:
    """Return the README's recipes in Python; each continues where the one before it ended."""
    chapter = README.partition("\n## Recipes\n")[2].partition("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", chapter, re.DOTALL)


def documents(text: str) -> list[Any]:
    """Return the JSON documents in *text*."""
    found, text = [], text.strip()
    while text:
        document, end = json.JSONDecoder().raw_decode(text)
        found.append(document)
        text = text[end:].strip()
    return found


def differences(expected: Any, actual: Any, place: str = "") -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield each place where *actual* lacks something that is *expected*; it may hold more."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key, value in expected.items():
            yield from differences(value, actual.get(key), f"{place}/{key}")
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for number, (block, other) in enumerate(zip(expected, actual, strict=True)):
            yield from differences(block, other, f"{place}/{number}")
    elif expected != actual:
        yield f"{place}: expected {expected!r}, actual {actual!r}"


def clone_into(folder: Path) -> None:
    """Copy the files under version control to *folder*, and link this environment there."""
    result = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True)
    for name in result.stdout.decode().splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")


def paste_all(folder: Path) -> list[str]:
    """Run all blocks in one shell in *folder*, and return the output of each."""
    script = "".join(f"{step.commands}\nprintf '{MARK}'\n" for step in steps())
    result = subprocess.run(["bash", "-eu"], input=script, cwd=folder, check=True, capture_output=True, text=True)
    return result.stdout.split(MARK)


def surprises(step: Step, output: str) -> list[str]:
    """Return each place where *output* lacks something that the README shows."""
    return list(differences(documents(step.expected), documents(output))) if step.expected else []
