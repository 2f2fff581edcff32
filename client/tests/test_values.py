"""Values of flags and files, as people write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from researcher.cli.changes import parse_changes
from researcher.cli.logs import parse_index_list
from researcher.cli.values import claim, pairs, read_env_file, secrets, variables
from researcher.cli.waiting import parse_duration
from researcher.errors import UsageError
from researcher.submission import parse_document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

YAML = """
job:
  image: busybox
  gpu: 2
  environment:
    LR: 1e-4
    RATE: 1.50
    SEED: 007
    DAY: 2026-11-28
    DEBUG: true
  labels: {sweep: 7}
  arguments: [--lr, 1e-4]
"""


class TestFiles:
    """JSON and YAML files."""

    def test_numbers_are_sent_as_written(self) -> None:
        """A learning rate of 1.50 stays 1.50, a seed of 007 stays 007, and a date is no date."""
        body = parse_document(YAML, "job.yaml")

        assert body["gpu"] == 2
        assert body["environment"] == {"LR": "1e-4", "RATE": "1.50", "SEED": "007", "DAY": "2026-11-28", "DEBUG": True}
        assert body["labels"] == {"sweep": "7"}
        assert body["arguments"] == ["--lr", "1e-4"]

    def test_json(self) -> None:
        """Numbers of JSON with a fraction keep their text, too."""
        assert parse_document('{"image": "x", "environment": {"LR": 1e-4}}', "f") == {
            "image": "x",
            "environment": {"LR": "1e-4"},
        }

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("image: a: b", "line 1, column 9"),
            ("a: &x [1]\nb: *x", "aliases are not supported"),
            ("image: a\nimage: b", "line 2"),
            ("- image: a", "must contain one Job"),
            ("!!python/object/apply:os.system [ls]", "is not valid YAML"),
            ("", "must contain one Job"),
            ("a: [", "is not valid YAML"),
        ],
    )
    def test_refuses(self, text: str, message: str) -> None:
        """A file that is not a Job is refused with the place."""
        with pytest.raises(UsageError, match=message):
            parse_document(text, "job.yaml")


class TestVariables:
    """Environment variables and Secrets."""

    def test_env_file(self, tmp_path: Path) -> None:
        """Comments and `export` are left out, quotes are removed, and `=` may be in a value."""
        path = tmp_path / "env"
        path.write_text('# c\n\nA=1\nexport B="x y"\nC=a=b\nD=\n', "utf-8")

        assert read_env_file(str(path)) == {"A": "1", "B": "x y", "C": "a=b", "D": ""}

    def test_env_file_errors(self, tmp_path: Path) -> None:
        """A bad line is named by its number, without its content, which may be a secret."""
        path = tmp_path / "env"
        path.write_text("A=1\nsecret", "utf-8")

        with pytest.raises(UsageError, match=r"line 2: write NAME=VALUE\.$"):
            read_env_file(str(path))
        with pytest.raises(UsageError, match="No such file"):
            read_env_file("missing")

    def test_a_name_alone(self) -> None:
        """A name alone takes the value of this process; a missing one is refused."""
        assert variables(("A", "B=2"), {"A": "1"}) == {"A": "1", "B": "2"}
        with pytest.raises(UsageError, match="no such variable"):
            variables(("X",), {})

    def test_secrets(self) -> None:
        """NAME=SECRET/KEY."""
        assert secrets(("T=hub/token",)) == {"T": {"secret": {"name": "hub", "key": "token"}}}


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda text: secrets((text,)), "A=b"),
        (lambda text: secrets((text,)), "A=/k"),
        (lambda text: pairs("--label", (text,)), "a"),
        (lambda text: pairs("--label", (text,)), "=a"),
        (lambda text: claim("--pvc", text), "data"),
        (lambda text: claim("--pvc", text), "data:/x:rx"),
        (lambda text: claim("--existing-pvc", text), "claimname=a"),
        (lambda text: claim("--existing-pvc", text), "claimname=a,path=/x,what=1"),
        (lambda text: parse_changes((text,)), "gpu"),
        (lambda text: parse_changes((text,)), "environment.=1"),
        (lambda text: parse_duration("--timeout", text), "1w"),
        (lambda text: parse_duration("--timeout", text), ""),
        (parse_index_list, "1,,2"),
        (parse_index_list, "a"),
    ],
)
def test_malformed_values(call: Callable[[str], Any], text: str) -> None:
    """A value of the wrong form is refused with the form."""
    with pytest.raises(UsageError, match=r"must be|needs|not supported|write"):
        call(text)


def test_changes() -> None:
    """Text stays text where the field is one; null removes; nested members are merged."""
    assert parse_changes(("gpu=4", "image=1", "environment.LR=0.1", "environment.X=null", "queue=null")) == {
        "gpu": 4,
        "image": "1",
        "environment": {"LR": "0.1", "X": None},
        "queue": None,
    }
    assert (parse_duration("-", "90"), parse_duration("-", "2h")) == (90, 7200)
    assert parse_index_list("0,2-4") == [0, 2, 3, 4]
