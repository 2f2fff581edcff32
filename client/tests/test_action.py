"""The GitHub Action: its steps, run as a runner runs them."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml
from conftest import TESTS, eventually

if TYPE_CHECKING:
    from pathlib import Path

    from researcher import Client

ACTION = TESTS.parent / "action"
STEPS = yaml.safe_load((ACTION / "action.yml").read_text("utf-8"))["runs"]["steps"]


@pytest.fixture
def environment(folder: Path, signed_in: dict[str, str]) -> dict[str, str]:
    """Return the environment of a runner that has installed the client."""
    program = folder / "bin" / "researcher"
    program.parent.mkdir()
    program.write_text(
        f"#!/bin/sh\nPYTHONPATH={TESTS.parent / 'src'} "
        f"exec {sys.executable} -c 'from researcher.cli import main; main()' \"$@\"\n",
        "utf-8",
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    inputs = {
        "url": signed_in["RESEARCHER_URL"],
        "project": "team-a",
        "audience": "researcher",
        "file": "job.yaml",
        "flags": "",
        "delete-on-cancel": "true",
    }
    names = {f"${{{{ inputs.{name} }}}}": value for name, value in inputs.items()}
    return {
        **os.environ,
        **{name: names[value] for name, value in STEPS[1]["env"].items()},
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "GITHUB_ACTION_PATH": str(ACTION),
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
    }


def run_step(environment: dict[str, str]) -> subprocess.Popen[str]:
    """Start the step that runs the Job."""
    return subprocess.Popen(["bash", "-c", STEPS[1]["run"]], env=environment, stdout=subprocess.PIPE, text=True)


class TestStep:
    """The step that runs the Job."""

    @pytest.mark.parametrize(("outcome", "code"), [("", 0), ("exit-9", 9)])
    def test_exits_as_the_job(self, folder: Path, environment: dict[str, str], outcome: str, code: int) -> None:
        """The log is printed, the outputs and the summary are written, and the exit code is the container's."""
        (folder / "job.yaml").write_text("image: busybox\nbackoffLimit: 0\n", "utf-8")
        flags = f"--label=ci=yes\n-e\nSIMULATE={outcome}\n" if outcome else "--label=ci=yes\n"
        process = run_step(environment | {"JOB_FLAGS": flags})
        output, _ = process.communicate()

        written = dict(line.split("=", 1) for line in (folder / "output").read_text("utf-8").splitlines())
        summary = (folder / "summary").read_text("utf-8")
        assert process.returncode == code
        assert "epoch 3 of 3" in output
        assert written["exit-code"] == str(code)
        assert written["name"] in summary
        assert ("What to do" in summary) == bool(code)

    def test_a_refused_job(self, folder: Path, environment: dict[str, str]) -> None:
        """A Job that is not valid fails the step, and no name is written."""
        (folder / "job.yaml").write_text("image: busybox\ngpu: 0.5\n", "utf-8")
        process = run_step(environment)
        process.communicate()

        assert process.returncode == 64
        assert not (folder / "output").exists()

    def test_a_cancelled_workflow(self, folder: Path, environment: dict[str, str], client: Client) -> None:
        """The Job of a workflow that is cancelled is deleted, so that it holds no GPU."""
        (folder / "job.yaml").write_text("image: busybox\nlabels: {cancelled: x}\n", "utf-8")
        process = run_step(environment | {"JOB_FLAGS": "-e\nSIMULATE=run-forever"})
        assert process.stdout is not None
        while "epoch 3" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate()

        assert process.returncode == 130
        eventually(lambda: not list(client.jobs(label="cancelled=x")))


def test_values_are_not_in_scripts() -> None:
    """Inputs reach the scripts as variables alone: a template in a script could run what an input says."""
    assert not [step for step in STEPS if "${{" in step["run"]]
