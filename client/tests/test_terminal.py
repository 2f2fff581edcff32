"""A terminal shows progress, colours and completion; a pipe gets the answer alone."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from conftest import IMAGE, TESTS

if TYPE_CHECKING:
    from researcher import Client

COMMAND = [sys.executable, "-c", "from researcher.cli import main; main()"]


@pytest.fixture
def environment(signed_in: dict[str, str]) -> dict[str, str]:
    """Return the environment of a process of the command line."""
    del signed_in
    return {**os.environ, "PYTHONPATH": str(TESTS.parent / "src"), "TERM": "xterm"}


def on_terminal(arguments: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """Run a command on a pseudo-terminal, and return its exit code and what the terminal got."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments], env=environment, stdin=terminal, stdout=terminal, stderr=terminal
    )
    os.close(terminal)
    seen = b""
    while True:
        try:
            piece = os.read(controller, 65536)
        except OSError:  # the terminal is closed
            break
        if not piece:
            break
        seen += piece
    os.close(controller)
    return process.wait(), seen.decode()


class TestTerminal:
    """On a pseudo-terminal."""

    def test_progress_and_colours(self, environment: dict[str, str]) -> None:
        """The progress is one line that is replaced, and removed at the end; errors are coloured."""
        words = ["submit", "--image", IMAGE, "-e", "SIMULATE=exit-3", "--backoff-limit", "0", "--wait"]
        code, seen = on_terminal(words, environment)

        assert code == 3
        assert "\r\x1b[K" in seen
        assert "\x1b[31mError: " in seen

    def test_statuses_have_colours(self, environment: dict[str, str], client: Client) -> None:
        """The list has colours, and none with NO_COLOR."""
        name = client.submit(image=IMAGE).wait().name
        _, coloured = on_terminal(["list"], environment)
        _, plain = on_terminal(["list"], environment | {"NO_COLOR": "1"})

        assert "\x1b[32mSucceeded" in coloured
        assert name in plain
        assert "\x1b[3" not in plain

    def test_ctrl_c(self, environment: dict[str, str], client: Client) -> None:
        """Ctrl-C ends the command with 130, and says that the Job goes on, and how to end it."""
        label = {"ctrl": "c"}
        words = ["--image", IMAGE, "-e", "SIMULATE=run-forever", "-l", "ctrl=c", "--follow"]
        process = subprocess.Popen(
            [*COMMAND, "submit", *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        select.select([process.stdout], [], [], 120)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate()

        job = next(client.jobs(label=label))
        assert process.returncode == 130
        assert f"researcher delete {job.name}" in error
        assert "Traceback" not in error
        job.delete()


class TestPipe:
    """Into a pipe."""

    def test_stdout_is_the_answer(self, environment: dict[str, str]) -> None:
        """`name=$(researcher submit --wait ...)` gets the name alone; no control character is written."""
        ran = subprocess.run(
            [*COMMAND, "submit", "--image", IMAGE, "--wait"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )

        assert ran.stdout == ran.stdout.split()[0] + "\n"
        assert "\x1b" not in ran.stdout + ran.stderr

    def test_a_reader_that_ends(self, environment: dict[str, str], client: Client) -> None:
        """`researcher logs NAME | head -1` ends without a traceback."""
        name = client.submit(image=IMAGE).wait().name
        line = f"{sys.executable} -c 'from researcher.cli import main; main()' logs {name} | head -1"
        ran = subprocess.run(["bash", "-c", line], env=environment, capture_output=True, text=True, check=True)

        assert ran.stderr == ""


class TestCompletion:
    """Shell completion, as the shells call it."""

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_job_names(self, environment: dict[str, str], client: Client, shell: str) -> None:
        """Names of Jobs are completed; commands and options, too."""
        name = client.submit(image=IMAGE, name=f"complete-{shell}").name
        variables = {
            "_RESEARCHER_COMPLETE": f"{shell}_complete",
            "COMP_WORDS": "researcher get compl",
            "COMP_CWORD": "compl" if shell == "fish" else "2",
        }
        main = "import sys; sys.argv[0] = 'researcher'; from researcher.cli import main; main()"
        ran = subprocess.run(
            [sys.executable, "-c", main], env=environment | variables, capture_output=True, text=True, check=False
        )

        assert name in ran.stdout, ran.stderr
        client.delete([name])

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_is_installed_by_one_line(self, environment: dict[str, str], shell: str) -> None:
        """The shell evaluates what `_RESEARCHER_COMPLETE=<shell>_source researcher` prints."""
        main = "import sys; sys.argv[0] = 'researcher'; from researcher.cli import main; main()"
        ran = subprocess.run(
            [sys.executable, "-c", main],
            env=environment | {"_RESEARCHER_COMPLETE": f"{shell}_source"},
            capture_output=True,
            text=True,
            check=False,
        )

        assert "_RESEARCHER_COMPLETE" in ran.stdout, ran.stderr
