"""The errors and the help of the command line."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from conftest import TESTS
from researcher.cli.main import COMMANDS, cli
from researcher.models import FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Result

    Researcher = Callable[..., Result]


class TestErrors:
    """What people read when something is wrong, and the exit codes."""

    @pytest.mark.parametrize(
        ("arguments", "code", "message"),
        [
            (["get", "missing"], 66, "has no Job named missing"),
            (["get", "Not_A_Name"], 64, ""),
            (["list", "-p", "team-b"], 77, ""),
            (["frobnicate"], 64, "There is no command frobnicate"),
            (["lst"], 64, "Did you mean list?"),
            (["list", "--what"], 64, "No such option"),
            (["submit", "--image", "busybox", "--label", "x"], 64, "NAME=VALUE"),
            (["submit", "--imgae", "busybox"], 64, "--image"),
            (["submit"], 64, "image"),
            (["retry", "missing"], 66, ""),
            (["wait", "missing"], 66, ""),
            (["logs", "-f", "missing"], 66, ""),
            (["delete", "missing"], 66, ""),
            (["get", "x", "-c", "nowhere"], 64, "There is no context nowhere"),
        ],
    )
    def test_are_one_sentence(self, researcher: Researcher, arguments: list[str], code: int, message: str) -> None:
        """Nothing on stdout, no traceback, and the message on stderr."""
        result = researcher(*arguments)

        assert result.code == code, result.err
        assert message in result.err
        assert result.out == ""
        assert "Traceback" not in result.err

    def test_one_failure_does_not_stop_the_others(self, researcher: Researcher, submit: Callable[..., str]) -> None:
        """Of several Jobs, those that can be deleted are deleted, and the exit code says that one was not."""
        name = submit()
        result = researcher("delete", "missing", name)

        assert result.code == 66
        assert f"{name} is being deleted" in result.err

    def test_no_server(self, researcher: Researcher, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a server the next step is named; a server that does not respond is named, too."""
        monkeypatch.setenv("RESEARCHER_URL", "http://127.0.0.1:9")
        monkeypatch.setenv("RESEARCHER_TOKEN", "x")
        monkeypatch.setattr("researcher.transport.FIRST_DELAY", 0.001)
        refused = researcher("list")
        monkeypatch.delenv("RESEARCHER_URL")
        nowhere = researcher("list")

        assert (refused.code, nowhere.code) == (69, 77)
        assert "127.0.0.1:9 does not respond" in refused.err
        assert "researcher login" in nowhere.err

    def test_http_is_for_loopback_only(self, researcher: Researcher, monkeypatch: pytest.MonkeyPatch) -> None:
        """A token is never sent in clear text."""
        monkeypatch.setenv("RESEARCHER_URL", "http://api.example.com")
        assert researcher("list").code == 64


class TestHelp:
    """`--help`."""

    @pytest.mark.parametrize("name", COMMANDS)
    def test_every_command(self, researcher: Researcher, name: str) -> None:
        """Each command has a help text whose first sentence is the line in the list of commands."""
        result = researcher(name, "--help")
        command = cli.get_command(click.Context(cli), name)

        assert result.code == 0
        assert command is not None
        assert (command.help or "").startswith(COMMANDS[name][1].rstrip("."))

    def test_every_field_has_a_flag(self, researcher: Researcher) -> None:
        """Each field of a submission can be set by a flag, also one that the document gains later."""
        text = researcher("submit", "--help").out
        others = {"command", "arguments", "environment", "labels", "annotations", "pvc", "retry", "project", "script"}

        assert [name for name in set(FIELDS) - others if f"--{name.replace('_', '-')}" not in text] == []

    def test_imports_little(self) -> None:
        """`researcher --help` waits for click, and for no network, TLS or YAML."""
        code = "import sys\nfrom researcher.cli.main import run\nrun(['--help'])\nprint(*sys.modules, file=sys.stderr)"
        ran = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONPATH": str(TESTS.parent / "src")},
            capture_output=True,
            text=True,
            check=True,
        )

        assert {"ssl", "http.client", "yaml", "json", "researcher.models"} & set(ran.stderr.split()) == set()
