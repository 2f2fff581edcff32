"""Tests of scripts."""

from __future__ import annotations

import pytest

from chalicelib.domain.errors import InvalidJob
from chalicelib.domain.submission.script import MAX_SCRIPT
from tests.support.builders import submission


def errors_of(**fields: object) -> list[tuple[str, str]]:
    """Return the pointers and messages for a submission with *fields*."""
    with pytest.raises(InvalidJob) as error:
        submission(**fields)
    return [(each.pointer, each.message) for each in error.value.errors]


class TestScript:
    """The field script."""

    @pytest.mark.parametrize(
        "script",
        [
            "cd /code && python train.py | tee log",
            "set -x\nexport A=$(date)\nfor i in 1 2; do echo $i; done\n",
            "#!/bin/bash\nrun",
            "#!/usr/bin/env bash\nrun",
            "#! /bin/sh -e\nrun",
            "#!/bin/bash",
            "# a comment\n\nrun",
            "x" * MAX_SCRIPT,
        ],
    )
    def test_valid(self, script: str) -> None:
        """A script may have anything that a shell runs, and is stored as it was sent."""
        assert submission(script=script).script == script

    @pytest.mark.parametrize(
        ("script", "message"),
        [
            ("", "must not be empty"),
            (" \n\t", "must have a command"),
            ("run\r\n", "must not have carriage returns: save it with line endings of LF, not CRLF"),
            ("-x\nrun", "must not begin with - or +, which the shell reads as an option"),
            ("+x", "must not begin with - or +, which the shell reads as an option"),
            (
                "#!/usr/bin/env python3\nimport os",
                "must be for bash or sh, not for the program in its #! line; run that",
            ),
            ("#!/bin/zsh\nrun", "must be for bash or sh, not for the program in its #! line; run that"),
            ("#!/bin/bash -x\nrun", "must not have options in its #! line, which is not read: use set, such as set -x"),
            ("x" * (MAX_SCRIPT + 1), "must have at most 32000 characters"),
        ],
    )
    def test_invalid(self, script: str, message: str) -> None:
        """What the shell would not run as it is meant is rejected with the reason."""
        ((pointer, text),) = errors_of(script=script)

        assert (pointer, text[: len(message)]) == ("/script", message)

    @pytest.mark.parametrize("script", ["a\x00b", 7, ["run"]])
    def test_other_types(self, script: object) -> None:
        """A script is text without NUL."""
        assert [pointer for pointer, _ in errors_of(script=script)] == ["/script"]

    @pytest.mark.parametrize("command", ["run", ["run"]])
    def test_excludes_command(self, command: object) -> None:
        """A Job has a command or a script; an empty command is none."""
        message = "must not be combined with command: remove one of them"

        assert errors_of(command=command, script="run") == [("/script", message)]
        assert submission(command=[], script="run").script == "run"


class TestShell:
    """The field shell."""

    def test_default(self) -> None:
        """The shell is bash unless the submission names sh."""
        shells = [submission(script="a", **fields).shell for fields in ({}, {"shell": "bash"}, {"shell": "sh"})]

        assert shells == ["bash", "bash", "sh"]

    @pytest.mark.parametrize(
        ("fields", "error"),
        [
            ({"shell": "sh"}, ("/shell", "requires script")),
            ({"shell": "sh", "command": "a"}, ("/shell", "requires script")),
            ({"shell": "sh", "script": "#!/bin/bash\na"}, ("/shell", "must be bash, as in the #! line of script")),
            ({"shell": "zsh", "script": "a"}, ("/shell", "must be one of `bash`, `sh`. Did you mean `sh`?")),
        ],
    )
    def test_invalid(self, fields: dict[str, object], error: tuple[str, str]) -> None:
        """The shell is that of the script."""
        assert errors_of(**fields) == [error]

    def test_invalid_script_is_one_error(self) -> None:
        """The shell of a script that is invalid has no error of its own."""
        fields = {"script": " ", "shell": "sh"}

        assert [pointer for pointer, _ in errors_of(**fields)] == ["/script"]
