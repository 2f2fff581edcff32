"""Each command, as people type it, against the local cloud."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from conftest import IMAGE, eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Researcher = Callable[..., Result]


class TestLifecycle:
    """From the submission to the deletion."""

    def test_is_walked(self, researcher: Researcher, submit: Callable[..., str]) -> None:
        """Each command that shows or changes a Job does so, and says what it did."""
        name = submit("--gpu", "1", "-e", "SIMULATE=run-forever", "-l", "walk=1")
        running = researcher("wait", name, "--until", "running")
        listed = researcher("list", "-l", "walk=1", "-o", "name")
        shown, events, why = researcher("get", name), researcher("events", name), researcher("why", name)
        logs = researcher("logs", name, "--tail", "1")
        suspended, resumed = researcher("suspend", name), researcher("resume", name)
        kept = researcher("keep", name)
        cloned = researcher("clone", name, "--set", "gpu=2", "--set", "labels.walk=2")
        gone = researcher("delete", name, cloned.out.strip(), "--reason", "mistake")

        assert running.code == 0, running.err
        assert listed.out == f"{name}\n"
        assert "1 requested" in shown.out
        assert "SuccessfulCreate" in events.out
        assert why.out.startswith(f"{name} is ")
        assert "What to do: " in why.out
        assert logs.out.startswith("epoch 3")
        assert f"{name} is Suspended" in suspended.err
        assert resumed.code == 0
        assert "kept" in kept.err
        assert cloned.code == 0, cloned.err
        assert gone.err.count("is being deleted") == 2
        assert gone.code == 0

    def test_exit_codes(self, researcher: Researcher, submit: Callable[..., str]) -> None:
        """`wait` exits as the first Job that failed, with --any as the first that finished."""
        good, bad = submit(), submit("-e", "SIMULATE=exit-9", "--backoff-limit", "0")
        alive = submit("-e", "SIMULATE=run-forever")

        assert researcher("wait", good, bad).code == 9
        assert researcher("wait", good).code == 0
        assert researcher("wait", alive, bad, "--any").code == 9
        timed_out = researcher("wait", alive, "--timeout", "0")
        assert (timed_out.code, "goes on" in timed_out.err) == (124, True)
        waited = researcher("submit", "--image", IMAGE, "-e", "SIMULATE=exit-5", "--backoff-limit", "0", "--wait")
        assert waited.code == 5
        assert len(waited.out.split()) == 1
        assert "exit code 5" in waited.err
        researcher("delete", alive)

    def test_several_logs(self, researcher: Researcher, submit: Callable[..., str]) -> None:
        """Lines of several Jobs begin with their names, and the exit code is that of the one that failed."""
        first, second = submit(), submit("-e", "SIMULATE=exit-4", "--backoff-limit", "0")

        result = researcher("logs", "-f", first, second)

        assert result.code == 4
        assert sum(line.startswith(first) for line in result.out.splitlines()) >= 3
        assert sum(line.startswith(second) for line in result.out.splitlines()) >= 3

    def test_a_sweep(self, researcher: Researcher, submit: Callable[..., str]) -> None:
        """A sweep is one Job, whose failed indexes are listed and retried."""
        name = submit(
            "--matrix",
            "LR=1,2",
            "--matrix",
            "SEED=0..1",
            "-e",
            "SIMULATE=exit-3@1,2",
            "--backoff-limit-per-index",
            "0",
            "--",
            "train",
        )
        assert researcher("wait", name).code in {1, 3}

        listed = researcher("list", "--indexes", name, "-o", "json")
        retried = researcher("retry", name)

        states = {each["index"]: (each["state"], each["exitCode"]) for each in json.loads(listed.out)}
        assert states == {0: ("Succeeded", 0), 1: ("Failed", 3), 2: ("Failed", 3), 3: ("Succeeded", 0)}
        assert retried.code == 0, retried.err
        researcher("delete", retried.out.strip())


class TestSubmit:
    """What `submit` reads."""

    def test_files_profiles_and_flags(
        self, researcher: Researcher, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Flags replace the fields of the file, which replace those of the profile; variables are merged."""
        (folder / "config").mkdir()
        (folder / "config" / "config.toml").write_text('[profiles.big]\ngpu = 8\nmemory = "64Gi"\n', "utf-8")
        monkeypatch.setattr(sys, "stdin", io.StringIO("image: busybox\ngpu: 4\nenvironment: {A: 1e-4, B: x}\n"))

        result = researcher(
            "submit", "-f", "-", "--profile", "big", "--gpu", "2", "-e", "B=y", "--dry-run", "-o", "yaml"
        )

        container = yaml.safe_load(result.out)["spec"]["template"]["spec"]["containers"][0]
        variables = {each["name"]: each.get("value") for each in container["env"]}
        assert (variables["A"], variables["B"]) == ("1e-4", "y")
        assert container["resources"]["requests"]["nvidia.com/gpu"] in {"2", 2}
        assert container["resources"]["requests"]["memory"] == "64Gi"

    def test_a_script(self, researcher: Researcher) -> None:
        """A command that needs a shell runs in one, and the user reads that."""
        result = researcher("submit", "--image", IMAGE, "--dry-run", "--", "cd /x && python train.py")

        assert "needs a shell" in result.err
        assert "cd /x && python train.py" in json.dumps(json.loads(result.out))

    def test_flags_after_the_command_are_its_own(self, researcher: Researcher) -> None:
        """Without `--`, words after the first are the command's."""
        result = researcher("submit", "--image", IMAGE, "--dry-run", "python", "train.py", "--gpu", "3")

        container = json.loads(result.out)["spec"]["template"]["spec"]["containers"][0]
        assert container["command"] == ["python", "train.py", "--gpu", "3"]

    def test_camel_case_flags(self, researcher: Researcher) -> None:
        """Flags may have the names of the API, too."""
        result = researcher("submit", "--image", IMAGE, "--dry-run", "--workingDir", "/w", "--largeShm")

        assert json.loads(result.out)["spec"]["template"]["spec"]["containers"][0]["workingDir"] == "/w"

    @pytest.mark.parametrize("document", ["missing.yaml", "config"])
    def test_missing_files(self, researcher: Researcher, document: str) -> None:
        """A file that cannot be read is a usage error."""
        assert researcher("submit", "-f", document).code == 64


class TestOutput:
    """Formats and streams."""

    @pytest.mark.parametrize("command", [("get",), ("list",), ("why",), ("events",)])
    @pytest.mark.parametrize("output", ["json", "yaml"])
    def test_documents(
        self, researcher: Researcher, submit: Callable[..., str], command: tuple[str], output: str
    ) -> None:
        """JSON and YAML are the API's own objects, with nothing else on stdout."""
        name = submit()
        result = researcher(*command, *([] if command == ("list",) else [name]), "-o", output)

        found: Any = json.loads(result.out) if output == "json" else yaml.safe_load(result.out)
        assert result.err == ""
        first = found[0] if isinstance(found, list) else found
        assert {"createdAt", "requestedGPUs", "cause", "lastSeen"} & set(first)

    @pytest.mark.parametrize("output", ["table", "wide"])
    def test_tables(self, researcher: Researcher, submit: Callable[..., str], output: str) -> None:
        """Tables have a head, and the name first."""
        name = submit()
        lines = researcher("list", "-o", output).out.splitlines()

        assert lines[0].startswith("NAME ")
        assert any(line.startswith(name) for line in lines)
        assert "\x1b" not in "".join(lines)

    def test_projects(self, researcher: Researcher) -> None:
        """The quota of the Project, and the list of Projects."""
        assert "quota 16" in researcher("project").out
        assert researcher("project", "--list", "-o", "name").out.split() == ["team-a", "team-shared"]
        assert json.loads(researcher("project", "team-shared", "-o", "json").out)["name"] == "team-shared"


def test_watching_a_list(researcher: Researcher, submit: Callable[..., str]) -> None:
    """A Job that is submitted is soon in the list with its status."""
    name = submit()
    eventually(lambda: f"{name}  Succeeded" in researcher("list").out)
