"""The local cloud of the API, and an environment without settings of the person who runs the tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from subprocess import PIPE
from typing import TYPE_CHECKING, NamedTuple

import pytest
from researcher import Client, polling, transport
from researcher.cli.main import run
from token_issuer import Issuer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TESTS = Path(__file__).parent
RUN_SECONDS = 0.5
IMAGE = "nvcr.io/nvidia/pytorch:26.10-py3"


class Result(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def session() -> Iterator[dict[str, str]]:
    """Start the API in a process of its own, and return its addresses and Applications; pods run for half a second."""
    command = [sys.executable, "-m", "local_cloud", str(RUN_SECONDS)]
    path = os.pathsep.join((str(TESTS), str(TESTS.parents[1])))
    with subprocess.Popen(
        command, cwd=TESTS.parents[1], env=os.environ | {"PYTHONPATH": path}, text=True, stdin=PIPE, stdout=PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.stdin.close()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in an empty folder, with files of the client below it, and without proxies."""
    for name in list(os.environ):
        if (
            name.startswith(("RESEARCHER_", "ACTIONS_"))
            or name in {"GITLAB_CI", "GITHUB_ACTIONS"}
            or name.lower().endswith("_proxy")
        ):
            monkeypatch.delenv(name)
    monkeypatch.setenv("RESEARCHER_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("RESEARCHER_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """Start a token issuer."""
    with Issuer() as issuer:
        threading.Thread(target=issuer.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield issuer
        issuer.shutdown()


@pytest.fixture
def signed_in(session: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Set the variables of an Application whose user may use team-a."""
    variables = {
        "RESEARCHER_URL": session["BASE_URL"],
        "RESEARCHER_CLIENT_ID": session["CLIENT_ID"],
        "RESEARCHER_CLIENT_SECRET": session["CLIENT_SECRET"],
        "RESEARCHER_TOKEN_URL": session["TOKEN_URL"],
        "RESEARCHER_PROJECT": "team-a",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture
def client(signed_in: dict[str, str]) -> Client:
    """Return a client for team-a."""
    del signed_in
    return Client()


@pytest.fixture
def researcher(signed_in: dict[str, str], capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Return a function that runs a command of the command line."""
    del signed_in

    def call(*arguments: str) -> Result:
        capsys.readouterr()
        code = run(arguments)
        return Result(code, *capsys.readouterr())

    return call


@pytest.fixture
def submit(researcher: Callable[..., Result]) -> Callable[..., str]:
    """Return a function that submits a Job and returns its name."""

    def call(*arguments: str) -> str:
        result = researcher("submit", "--image", IMAGE, *arguments)
        assert result.code == 0, result.err
        assert result.err == ""
        return result.out.strip()

    return call


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses between attempts."""
    monkeypatch.setattr(transport, "FIRST_DELAY", 0.01)
    monkeypatch.setattr(polling, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(polling, "LONGEST_PAUSE", 0.1)


def pytest_configure() -> None:
    """Let programs that tests start be interrupted, also if this run was started in the background, without SIGINT."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


def eventually(is_true: Callable[[], bool]) -> None:
    """Wait until *is_true* returns True, for two minutes at most."""
    latest = time.monotonic() + 120
    while not is_true():
        assert time.monotonic() < latest
        time.sleep(0.05)
