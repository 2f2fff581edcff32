"""Which commands need a shell, and how they are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from researcher.shell import as_fields, from_words, needs_shell, with_shell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from researcher.capabilities import Capabilities

SHELL = [
    "cd /work && python train.py",
    "python a.py | tee log",
    "python a.py; python b.py",
    "python train.py > log 2>&1",
    "LR=0.1 python train.py",
    "echo $HOME",
    'echo "$HOME"',
    "echo ${HOME}",
    "echo $(date)",
    "echo `date`",
    "pip install x\npython train.py",
    "source venv/bin/activate",
    "for i in 1 2; do echo; done",
    "sleep 1 &",
    "cd",
]
PLAIN = [
    "python train.py --lr 0.1",
    "python train.py \\\n  --lr 0.1",
    "echo '$HOME && x'",
    "echo 'a;b' \"c|d\"",
    "echo \\$HOME",
    "python -c 'import os; print(os.environ)'",
    "echo price 5$",
    "python x.py --filter=a=b",
    "python 'unbalanced",
    "cdrom",
    "",
]


class _Server:
    def __init__(self, *, has_script: bool) -> None:
        self._has_script = has_script

    def has_field(self, name: str) -> bool:
        return self._has_script and name == "script"


def _server(*, has_script: bool) -> Capabilities:
    return cast("Capabilities", _Server(has_script=has_script))


@pytest.mark.parametrize("command", SHELL)
def test_needs_a_shell(command: str) -> None:
    """What only a shell can run is a script, or a shell's argument on a server without scripts."""
    assert needs_shell(command)
    assert as_fields(command, _server(has_script=True)) == {"script": command}
    assert as_fields(command, _server(has_script=False)) == {"command": ["/bin/sh", "-ec", command]}


@pytest.mark.parametrize("command", PLAIN)
def test_needs_none(command: str) -> None:
    """Quoted operators, escaped variables and continued lines are a plain command line."""
    assert not needs_shell(command)
    assert as_fields(command, _server(has_script=True)) == {"command": command}


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["python", "train.py"], ["python", "train.py"]),
        (["python"], ["python"]),
        (["python train.py"], "python train.py"),
        (["a b", "c && d"], ["a b", "c && d"]),
        ([" "], [" "]),
    ],
)
def test_words(words: Sequence[str], command: object) -> None:
    """The words after `--` stay words; one word with spaces is a command line."""
    assert from_words(words) == command


def test_a_script_for_an_older_server() -> None:
    """A script of a file runs in a shell, also on a server without the field."""
    assert with_shell({"script": "x"}, _server(has_script=False)) == {"command": ["/bin/sh", "-ec", "x"]}
    assert with_shell({"script": "x"}, _server(has_script=True)) == {"script": "x"}
