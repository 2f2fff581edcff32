"""Tests of commands that are one string."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.domain.submission.command_line import escape_expansions, split_command

if TYPE_CHECKING:
    from pathlib import Path


def problem(text: str) -> str:
    """Return the message for the command *text*, which is rejected."""
    with pytest.raises(ValueError, match=r"^must") as error:
        split_command(text)
    return str(error.value)


class TestSplit:
    """Commands that a program can run without a shell."""

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("python train.py --lr 1e-4", ["python", "train.py", "--lr", "1e-4"]),
            ("python \\\n  train.py \\\n\t--epochs 3\n", ["python", "train.py", "--epochs", "3"]),
            ("pyth\\\non", ["python"]),
            ("\n python a \n\n", ["python", "a"]),
            ("a\t b", ["a", "b"]),
            ("a '' \"\"", ["a", "", ""]),
            ("a b\\ c 'd e'f\"g h\"", ["a", "b c", "d efg h"]),
            (r'a "\"\\ \$x \`y\` \n"', ["a", '"\\ $x `y` \\n']),
            ('a "b\\\nc"', ["a", "bc"]),
            ("python -c 'import os; print(os.sep * 2 > \"\")'", ["python", "-c", 'import os; print(os.sep * 2 > "")']),
            ("python -c 'a\nb'", ["python", "-c", "a\nb"]),
            (r"echo a\;b \&\& \| \> \$HOME \#", ["echo", "a;b", "&&", "|", ">", "$HOME", "#"]),
            ("a b$ $", ["a", "b$", "$"]),
            ("a --x=[1,2] ++y={a:1} z#1", ["a", "--x=[1,2]", "++y={a:1}", "z#1"]),
            ("a --x=*.json https://host/?page=1 's3://b/*'", ["a", "--x=*.json", "https://host/?page=1", "s3://b/*"]),
            ("env A=1 python b.py C=2", ["env", "A=1", "python", "b.py", "C=2"]),
            ('"A"=1', ["A=1"]),
            ("'if' a", ["if", "a"]),
            ("echo cd export", ["echo", "cd", "export"]),
            ('bash -c "cd /x && echo $NAME $(date)"', ["bash", "-c", "cd /x && echo $NAME $(date)"]),
            ('env A=1 /bin/sh -euc "echo ${A}" "b"', ["env", "A=1", "/bin/sh", "-euc", "echo ${A}", "b"]),
            ("", []),
            (" \n", []),
        ],
    )
    def test_words(self, text: str, words: list[str]) -> None:
        """The words are those that a shell would pass to the program."""
        assert split_command(text) == words

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.text("ab=;\"'\\ \n$`~#*[]{}&|<>()!-", max_size=12))
    def test_accepted_command_is_that_of_a_shell(self, tmp_path: Path, text: str) -> None:
        """`/bin/sh` splits each command that is accepted into the same words."""
        try:
            words = split_command("a" + text)
        except ValueError:
            return

        printed = subprocess.run(
            ["/bin/sh", "-c", "printf '%s\\0' a" + text], cwd=tmp_path, check=True, capture_output=True
        )
        assert printed.stdout.decode().split("\0")[:-1] == words


class TestRejected:
    """Commands that only a shell can run."""

    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("a && b", "&&"),
            ("a || b", "||"),
            ("a | tee b", "|"),
            ("a|b", "|"),
            ("a; b", ";"),
            ("a;", ";"),
            ("a &", "&"),
            ("a > b", ">"),
            ("a 2>&1", ">"),
            ("a >> b", ">"),
            ("a &> b", "&"),
            ("a < b", "<"),
            ("cat << EOF", "<"),
            ("(a)", "("),
            ("a $HOME", "$NAME"),
            ("$PYTHON a", "$NAME"),
            ("a --x=$HOME/y", "$NAME"),
            ("a $1 b", "$NAME"),
            ("a $?", "$NAME"),
            ("a ${HOME}", "${...}"),
            ("a $(date)", "$(...)"),
            ("a $((1 + 2))", "$(...)"),
            ("a `date`", "a backquote"),
            ("a $'b'", "$'...'"),
            ("a *.txt", "*"),
            ("a file?", "?"),
            ("a\rb", "a carriage return"),
        ],
    )
    def test_outside_quotes(self, text: str, name: str) -> None:
        """What has a meaning to a shell is named, with the two ways to write it."""
        assert problem(text) == (
            f"must not have {name} outside quotes: no shell runs the command. Write it in script, or as a list of words"
        )

    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ('a "$HOME"', "$NAME"),
            ('a "b ${HOME}"', "${...}"),
            ('a "$(date)"', "$(...)"),
            ('a "`date`"', "a backquote"),
            ('a "$\\\nHOME"', "$NAME"),
            ('python -c "print($X)"', "$NAME"),
            ('bash "$X"', "$NAME"),
        ],
    )
    def test_in_double_quotes(self, text: str, name: str) -> None:
        """A shell expands variables and commands in double quotes, too."""
        assert problem(text).startswith(f"must not have {name} in double quotes: ")

    @pytest.mark.parametrize("text", ["A=1 python b", "A='1' python b", "A= b", "A+=1 b", "_a1=2"])
    def test_assignment(self, text: str) -> None:
        """A variable in front of the program belongs into environment."""
        assert problem(text).startswith("must not begin with NAME=value: set it in environment")

    @pytest.mark.parametrize(
        "text", ["cd /x && a", "export A=1", "'cd' /x", "source a", ". a", "if true", "for i", "! a"]
    )
    def test_builtin(self, text: str) -> None:
        """No image has a program of the name of such a builtin."""
        assert "as the program: no shell runs the command" in problem(text)

    @pytest.mark.parametrize("text", ["a # b", "# a", "~/a", "a ~"])
    def test_start_of_a_word(self, text: str) -> None:
        """A comment and a home directory need a shell."""
        assert "at the start of a word" in problem(text)

    @pytest.mark.parametrize("text", ["a\nb", "a\n\n 'b'", "a\n\\\nb", "python a\npython b\n"])
    def test_line_break(self, text: str) -> None:
        """A line break ends a command, unless a backslash precedes it."""
        assert problem(text).startswith("must not have a line break outside quotes, except after a backslash: ")

    @pytest.mark.parametrize("text", ["a \\ \n b", "a \\\t\nb", "a \\\r\n b"])
    def test_backslash_before_the_end_of_the_line(self, text: str) -> None:
        """An invisible character after the backslash has its own message."""
        assert problem(text) == "must not have spaces or a carriage return after the backslash that continues a line"

    @pytest.mark.parametrize("text", ["a 'b", 'a "b', "a \\", "it's"])
    def test_open_quote(self, text: str) -> None:
        """A quote must end."""
        assert problem(text) == "must close each quote, and not end after a backslash; or be an array of words"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("a $B ${C}", "a $B ${C}"), ("$(A)", "$$(A)"), ("$$", "$$$$"), ("$A $(B)", "$$A $$(B)"), ("$é", "$$é")],
)
def test_escape_expansions(text: str, escaped: str) -> None:
    """Kubernetes passes an escaped text as it was; a text that it would not change stays readable."""
    assert escape_expansions(text) == escaped
