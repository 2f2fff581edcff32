"""The documentation as its reader meets it: README.md, then the pages in the order of mkdocs.yml.

A fence of language `sh` is a command that the tests run. A fence directly below it is what the command prints: `text`
in full, or `js`, JSON documents in which `...` stands for further members and, at the end of a string, for its rest.
`json` is a Job to submit, `jsonc` a configuration, `python` a cell of one notebook, and `console` a command that cannot
be run here.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import app

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(app.__file__).parent
NAV = re.findall(r"([\w./-]+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:")[2], re.MULTILINE)
PAGES = {path: (ROOT / path).read_text("utf-8") for path in ("README.md", *(f"docs/{page}" for page in NAV))}
STARTS = ("make run", "make test")
"""Commands that are not part of the walk: the first is its server, the second runs its tests."""
MARK = "\x1e"
REST = "..."
_FENCE = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


class Fence(NamedTuple):
    """A block of code on a *page*, and whether it directly follows the block before it."""

    page: str
    language: str
    text: str
    follows: bool

    def __str__(self) -> str:
        """Name it by its page and its first line."""
        return f"{self.page} {self.text.partition(chr(10))[0][:50]}"


class Step(NamedTuple):
    """A block of commands, and the block that shows what they print, if there is one."""

    commands: Fence
    shown: Fence | None

    def __str__(self) -> str:
        """Name it by its commands."""
        return str(self.commands)


def fences(*languages: str) -> list[Fence]:
    """Return the blocks of code in *languages*, or in any, in the order in which a reader meets them."""
    found = []
    for page, text in PAGES.items():
        end = -1
        for match in _FENCE.finditer(text):
            follows = match.start() == end + 1
            found.append(Fence(page, match[1], textwrap.dedent(match[2]), follows))
            end = match.end()
    return [one for one in found if not languages or one.language in languages]


def steps() -> list[Step]:
    """Return the commands of the walk."""
    blocks = fences()
    pairs = zip(blocks, [*blocks[1:], None], strict=True)
    return [
        Step(block, after if after and after.follows and after.language in {"js", "text"} else None)
        for block, after in pairs
        if block.language == "sh" and block.text.strip() not in STARTS
    ]


def documents(text: str) -> list[Any]:
    """Parse the JSON documents in *text*, one after the other; `...` becomes a member of that name."""
    text = re.sub(r"\{\s*\.\.\.\s*\}", f'{{"{REST}": 0}}', text.strip())
    text = re.sub(r",\s*\.\.\.(\s*\})", rf', "{REST}": 0\1', text)
    text = re.sub(r",\s*\.\.\.(\s*\])", rf', "{REST}"\1', text)
    found = []
    while text:
        document, end = json.JSONDecoder().raw_decode(text)
        found.append(document)
        text = text[end:].strip()
    return found


LATER = ("Pending", "Running")
"""A submission whose first attempt is lost on a busy machine is repeated, and finds its Job one status later."""


def differences(shown: Any, seen: Any, place: str = "") -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield each place where *seen* is not as *shown*; only where that says `...` it may hold more."""
    if isinstance(shown, dict) and isinstance(seen, dict):
        for key in (shown if REST in shown else shown | seen).keys() - {REST}:
            yield from differences(shown.get(key, "nothing"), seen.get(key), f"{place}/{key}")
    elif isinstance(shown, list) and isinstance(seen, list) and (shown[-1:] == [REST] or len(shown) == len(seen)):
        for number, one in enumerate(one for one in shown if one != REST):
            yield from differences(one, seen[number] if number < len(seen) else None, f"{place}/{number}")
    elif isinstance(shown, str) and shown.endswith(REST) and str(seen).startswith(shown.removesuffix(REST)):
        return
    elif shown != seen and (shown, seen) != LATER:
        yield f"{place}: shown {shown!r}, seen {seen!r}"


def clone_into(folder: Path) -> None:
    """Make *folder* a copy of what is in version control, with this environment."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True)
    for name in listed.stdout.decode().splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")


def paste_all(folder: Path) -> list[str]:
    """Run all commands in *folder*, pasted into one shell, and return what each block printed."""
    script = "".join(f"{step.commands.text}\nprintf '{MARK}'\n" for step in steps())
    ran = subprocess.run(["bash", "-eu"], input=script, cwd=folder, check=True, capture_output=True, text=True)
    return ran.stdout.split(MARK)


def surprises(step: Step, printed: str) -> list[str]:
    """Return where *printed* is not what the page shows."""
    if step.shown is None:
        return []
    if step.shown.language == "text":
        return [] if step.shown.text == printed else [f"shown {step.shown.text!r}, seen {printed!r}"]
    return list(differences(documents(step.shown.text), documents(printed)))
