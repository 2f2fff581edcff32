"""The documentation is true: every command is run, every Job is accepted, and every link leads somewhere."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from chalicelib.domain.submission.model import parse_submission
from tests.support.documentation import (
    PAGES,
    ROOT,
    Fence,
    Step,
    clone_into,
    differences,
    documents,
    fences,
    paste_all,
    steps,
    surprises,
)  # fmt: skip
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CELLS = [cell for cell in fences("python") if cell.page == "docs/guide/python.md"]

NOTEBOOK = """
import ast, asyncio, inspect
names = {}
def run(cell):
    code = compile(cell, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    found = eval(code, names)
    if inspect.isawaitable(found):
        asyncio.run(found)
"""
"""A minimal notebook kernel: cells share their names, and may await."""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the files under version control, with this environment."""
    folder = tmp_path_factory.mktemp("clone")
    clone_into(folder)
    return folder


def start_server(command: list[str], folder: Path, **environment: str) -> subprocess.Popen[str]:
    """Start a server whose output goes to a file, and return it when it is ready."""
    log = folder / f"{len(list(folder.glob('*.log')))}.log"
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(command, cwd=folder, env=os.environ | environment, stdout=output, text=True)

    def is_ready() -> bool:
        assert process.poll() is None
        return "Press Ctrl-C to stop" in log.read_text(encoding="utf-8")

    eventually(is_ready)
    return process


@pytest.fixture(scope="module")
def server(clone: Path) -> Iterator[Path]:
    """Return the clone, with `make run` in the background."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = start_server(["make", "run"], clone, PORT=str(port))
    yield clone
    server.terminate()
    server.wait()


@pytest.fixture(scope="module")
def outputs(server: Path) -> list[str]:
    """Return the output of each block."""
    return paste_all(server)


@pytest.mark.walk
class TestWalk:
    """The commands of README.md and of all pages, pasted one after the other."""

    @pytest.mark.parametrize(("number", "step"), list(enumerate(steps())), ids=str)
    def test_output_is_as_documented(self, outputs: list[str], number: int, step: Step) -> None:
        """Each block prints the documents below it; only `...` allows more."""
        assert surprises(step, outputs[number]) == []

    def test_writes_a_projects_manifests(self, outputs: list[str], server: Path) -> None:
        """The file for kubectl holds the Project's namespace."""
        del outputs
        assert "name: researcher-team-c" in (server / ".local" / "team-c.yaml").read_text(encoding="utf-8")

    def test_session_file_is_private(self, server: Path) -> None:
        """Only the owner may read the session file, because it holds secrets."""
        assert (server / ".local" / "session.env").stat().st_mode & 0o077 == 0


@pytest.mark.walk
class TestRecipes:
    """The cells in Python."""

    def test_print_the_log(self, server: Path) -> None:
        """Run as cells of one notebook, which may await; run again, they find the same Jobs."""
        cells = "".join(f"run({cell.text!r})\n" for cell in CELLS)
        command = [".venv/bin/python", "-c", NOTEBOOK + 2 * cells]

        ran = subprocess.run(command, cwd=server, check=True, capture_output=True, text=True)

        printed = [line for line in ran.stdout.splitlines() if line.endswith(("Succeeded", "0.333"))]
        first, again = printed[: len(printed) // 2], printed[len(printed) // 2 :]
        assert [line.rpartition(" ")[2] for line in first] == ["Succeeded", "0.333"] * 2
        assert first == again

    @pytest.mark.parametrize("cell", CELLS, ids=str)
    def test_are_short(self, cell: Fence) -> None:
        """To be read at a glance."""
        assert len([line for line in cell.text.splitlines() if line]) < 12


@pytest.mark.walk
class TestRun:
    """`make run`."""

    def test_port_in_use(self, clone: Path) -> None:
        """A port in use is an error with a message that says what to do, without a traceback."""
        with socket.create_server(("127.0.0.1", 0)) as accepted:
            port = str(accepted.getsockname()[1])
            result = subprocess.run(
                ["make", "run"], cwd=clone, env=os.environ | {"PORT": port}, check=False, capture_output=True, text=True
            )

        assert result.returncode != 0
        assert f"Port {port} is in use" in result.stderr
        assert "Traceback" not in result.stderr

    def test_invalid_port(self, clone: Path) -> None:
        """An invalid port is an error with a message, without a traceback."""
        result = subprocess.run(
            ["make", "run"], cwd=clone, env=os.environ | {"PORT": "99999"}, check=False, capture_output=True, text=True
        )

        assert "the port must be a number below 65536" in result.stderr
        assert "Traceback" not in result.stderr

    def test_interrupt_stops_everything(self, clone: Path) -> None:
        """Each of two runs in one folder has a session file of its own, and deletes it when a signal ends the run."""
        folder = clone / ".local"
        before = session_files(folder)
        runs = [start_server([".venv/bin/python", "-m", "infra.local", "--port", "0"], clone) for _ in range(2)]
        try:
            written = session_files(folder) - before

            for _ in range(5):
                runs[0].send_signal(signal.SIGTERM)
            runs[1].send_signal(signal.SIGINT)

            assert [run.wait() for run in runs] == [0, 0]
            assert (len(written), session_files(folder)) == (2, before)
        finally:
            for run in runs:
                run.kill()
                run.wait()


def session_files(folder: Path) -> set[str]:
    """Return the names of the session files."""
    return {path.name for path in folder.glob("session*.env")}


class TestPages:
    """What the pages show beside commands."""

    @pytest.mark.parametrize("fence", fences("json", "yaml"), ids=str)
    def test_what_is_sent_is_accepted(self, fence: Fence) -> None:
        """A `json` block is a Job as it is submitted; `yaml` is a Job, or the workflow of a CI service."""
        document = json.loads(fence.text) if fence.language == "json" else yaml.safe_load(fence.text)

        if document.keys().isdisjoint({"jobs", "gpu"}):  # GitHub's, and the name of a job of GitLab
            parse_submission({"project": "team-a", **document})

    @pytest.mark.parametrize("page", PAGES)
    def test_links_lead_somewhere(self, page: str) -> None:
        """Also those that leave docs/, of which MkDocs knows nothing."""
        links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", PAGES[page])

        assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []

    def test_no_command_takes_the_network(self) -> None:
        """A newcomer's commands talk to this machine alone."""
        assert [host for step in steps() for host in re.findall(r"https?://[^\s\"]+", step.commands.text)] == []

    def test_a_shortened_answer_says_so(self) -> None:
        """The comparison of the walk: what is not shown is a difference, unless `...` stands for it."""
        seen = {"a": [1, 2], "b": "text", "c": None}

        assert [*differences(documents('{"a": [1, ...], "b": "te...", ...}'), [seen])] == []
        assert len([*differences(documents('{"a": [1], "b": "x...", "d": 1, ...}'), [seen])]) == 3
        assert len([*differences(documents('{"a": [1, 2], "b": "text"}'), [seen])]) == 1
