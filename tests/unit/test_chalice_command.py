"""The `chalice` command in this repository: it serves the API, and does not package or deploy it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from infra.chalice_command import INSTEAD

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
CHALICE = "import sys; sys.argv[0] = 'chalice'; from chalice.cli import main; sys.exit(main())"
SERVE = (
    "import os; from chalice.cli import create_local_server; from chalice.cli.factory import CLIFactory;"
    "local = create_local_server(CLIFactory('.', environ=os.environ), '127.0.0.1', 0, 'dev');"
    "print(local.server.server_port, flush=True); local.serve_forever()"
)


def environment(**settings: str) -> dict[str, str]:
    """Return the environment of a new shell without AWS, with these *settings*."""
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **settings}


class TestRefused:
    """Commands that would package or deploy."""

    @pytest.mark.parametrize("command", INSTEAD)
    def test_end_with_one_sentence(self, command: str, tmp_path: Path) -> None:
        """It names the make target; nothing is built, no AWS account is used, and there is no traceback."""
        out = tmp_path / "out"
        arguments = [*command.split(), *([str(out)] if command == "package" else [])]

        process = subprocess.run(
            [sys.executable, "-c", CHALICE, *arguments],
            cwd=ROOT, env=environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip

        assert process.returncode != 0
        (line,) = (process.stdout + process.stderr).strip().splitlines()[-1:]
        assert line.startswith(f"Error: chalice {command} cannot package this app")
        assert f"Use `{INSTEAD[command]}`" in line
        assert "Traceback" not in process.stdout + process.stderr
        assert not out.exists()

    @pytest.mark.parametrize("target", sorted({target.removeprefix("make ") for target in INSTEAD.values()}))
    def test_named_target_exists(self, target: str) -> None:
        """The sentence does not name a target that was renamed."""
        assert f"\n{target}: " in (ROOT / "Makefile").read_text("utf-8")


@contextmanager
def chalice_local(**settings: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start the server of `chalice local`, and yield its URL and its process."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE],
        cwd=ROOT, env=environment(**settings), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/researcher/api/v1", process
    finally:
        process.kill()
        process.communicate()


def get(url: str, **headers: str) -> tuple[int, dict[str, Any]]:
    """Return status and document of a GET request."""
    response = urllib3.request("GET", url, headers=headers, retries=False)
    return response.status, response.json()


class TestLocal:
    """`chalice local`."""

    def test_answers(self) -> None:
        """Without settings the API answers; what needs the token issuer or the cluster has an error with its code."""
        with chalice_local() as (url, process):
            health = get(url + "/health")
            document = get(url + "/openapi.json")
            without_token = get(url + "/projects")
            with_token = get(url + "/projects", authorization="Bearer x")
            unknown_parameter = get(url + "/health?x=1")
            process.kill()
            lines, errors = process.communicate()

        assert (health[0], health[1]["cluster"]) == (200, "local")
        assert (document[0], document[1]["openapi"]) == (200, "3.1.0")
        assert (without_token[0], with_token[0], unknown_parameter[0]) == (401, 401, 400)
        assert without_token[1]["instance"].startswith("urn:researcher:request:")
        # The headers arrive: the second token was read.
        whys = [json.loads(line).get("why") for line in lines.splitlines() if "unauthenticated" in line]
        assert ["missing" in why for why in whys] == [True, False]
        assert "Use `make run`" in errors
        assert "Traceback" not in errors

    def test_settings_are_used(self) -> None:
        """Settings of the environment are not replaced."""
        with chalice_local(CLUSTER_NAME="gpu-east") as (url, _):
            assert get(url + "/health")[1]["cluster"] == "gpu-east"
