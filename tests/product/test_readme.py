"""The README keeps its word: every command in it is run, and its tables are those of the code."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import app
from chalicelib.domain.refused import REFUSED
from chalicelib.domain.submission import Submission
from chalicelib.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(app.__file__).parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
OURS = {
    "labels",
    "annotations",
    "maxRuntimeSeconds",
    "queue",
    "indexed",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
    "nodes",
    "retry",
}
STARTS = ("make run", "make test")
"""Blocks that are not part of the walk: the first is its server, the second is what runs this test."""
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


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is in version control, with this environment."""
    folder = tmp_path_factory.mktemp("clone")
    told = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True)
    for name in told.stdout.decode().splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


def started(command: list[str], folder: Path, **environment: str) -> subprocess.Popen[str]:
    """A server that has said that it answers; what it logs goes to a file."""
    log = folder / f"{len(list(folder.glob('*.log')))}.log"
    with log.open("w", encoding="utf-8") as output:
        server = subprocess.Popen(command, cwd=folder, env=os.environ | environment, stdout=output, text=True)
    while "Ctrl-C ends it" not in log.read_text(encoding="utf-8"):
        assert server.poll() is None
        time.sleep(0.05)
    return server


@pytest.fixture(scope="module")
def running(clone: Path) -> Iterator[Path]:
    """The clone with `make run` in another terminal."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = started(["make", "run"], clone, PORT=str(port))
    yield clone
    server.terminate()
    server.wait()


@pytest.fixture(scope="module")
def answers(running: Path) -> list[str]:
    """What each block answered, all of them pasted into one shell."""
    script = "".join(f"{step.commands}\nprintf '{MARK}'\n" for step in steps())
    told = subprocess.run(["bash", "-eu"], input=script, cwd=running, check=True, capture_output=True, text=True)
    return told.stdout.split(MARK)


class TestWalk:
    """The commands of the README, pasted one after the other."""

    @pytest.mark.parametrize(("number", "step"), list(enumerate(steps())), ids=str)
    def test_answers_what_is_shown(self, answers: list[str], number: int, step: Step) -> None:
        """Each block answers the documents below it, and maybe more fields."""
        shown, seen = documents(step.shown), documents(answers[number]) if step.shown else []

        assert list(differences(shown, seen)) == []

    def test_writes_a_projects_manifests(self, answers: list[str], running: Path) -> None:
        """The file for kubectl holds the Project's namespace."""
        del answers
        assert "name: researcher-team-c" in (running / ".local" / "team-c.yaml").read_text(encoding="utf-8")

    def test_session_is_the_owners_alone(self, running: Path) -> None:
        """It holds secrets."""
        assert (running / ".local" / "session.env").stat().st_mode & 0o077 == 0


class TestRun:
    """`make run`."""

    def test_a_taken_port_is_told(self, clone: Path) -> None:
        """It says what to do, and ends with an error, without a stack trace."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            told = subprocess.run(
                ["make", "run"], cwd=clone, env=os.environ | {"PORT": port}, check=False, capture_output=True, text=True
            )

        assert told.returncode != 0
        assert f"Port {port} is taken" in told.stderr
        assert "Traceback" not in told.stderr

    def test_an_odd_port_is_told(self, clone: Path) -> None:
        """Without a stack trace."""
        told = subprocess.run(
            ["make", "run"], cwd=clone, env=os.environ | {"PORT": "99999"}, check=False, capture_output=True, text=True
        )

        assert "a port is a number below 65536" in told.stderr
        assert "Traceback" not in told.stderr

    def test_an_interrupt_ends_all_of_it(self, clone: Path) -> None:
        """Ctrl-C ends it without an error, and takes its session file away, but not that of a later run."""
        session = clone / ".local" / "session.env"
        first = started([".venv/bin/python", "-m", "infra.local", "--port", "0"], clone)
        second = started([".venv/bin/python", "-m", "infra.local", "--port", "0"], clone)

        first.send_signal(signal.SIGINT)
        assert (first.wait(), session.exists()) == (0, True)
        second.send_signal(signal.SIGINT)
        assert (second.wait(), session.exists()) == (0, False)


class TestTables:
    """The tables of the README against the code."""

    def test_endpoints(self) -> None:
        """Every route has its row, and no row is without a route."""
        routes = {entry.view_name for methods in app.app.routes.values() for entry in methods.values()}

        assert set(re.findall(r"^\| `(\w+)` \| `(?:GET|POST|DELETE)", README, re.MULTILINE)) == routes - {"docs_asset"}

    def test_settings(self) -> None:
        """Every setting has its row with its default."""
        rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (?:`(.*?)`)? ?\|", README, re.MULTILINE))
        settings = {field.name.upper(): field.default for field in fields(Settings)}
        given = {name: str(default) if isinstance(default, (str, float)) else "" for name, default in settings.items()}

        assert rows == {**given, "CORS_ORIGIN": "", "ENDPOINT": ""}

    def test_fields_of_a_job(self) -> None:
        """Every field that is taken stands in the table of Run:ai's, or among the added ones."""
        table = README.partition("| Run:ai's field | here |")[2].partition("Refused, with the reason")[0]
        rows, _, added = table.partition("| added field | here |")
        named = {
            name for row in re.findall(r"^\| (.*?) \|", rows, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
        }
        taken = {field.alias for field in Submission.model_fields.values()}

        assert set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (.*?) \|", added, re.MULTILINE)))) == OURS
        assert named | OURS == taken

    def test_refused_fields(self) -> None:
        """Every field that is refused has its row with its reason."""
        table = README.partition("| field | reason |")[2].partition("\n## ")[0]

        assert dict(re.findall(r"^\| `(\w+)` \| (.*?) \|$", table, re.MULTILINE)) == REFUSED


def test_no_command_takes_the_network() -> None:
    """A newcomer's commands talk to this machine alone."""
    hosts = [host for step in steps() for host in re.findall(r"https?://[^\s\"]+", step.commands)]

    assert hosts == []
