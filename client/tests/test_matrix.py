"""Sweeps: each index runs with its own parameters, first time or in a retry."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from researcher.errors import UsageError
from researcher.matrix import apply_matrix, combinations, parameters_of, parse_matrix

SHOW = "import json, os, sys; print(json.dumps([{n: os.environ[n] for n in sys.argv[1].split(',')}, sys.argv[2:]]))"
NAMES = st.sampled_from(["LR", "SEED", "i", "n", "v", "m", "nl", "_x1"])
VALUES = st.lists(
    st.text(st.characters(exclude_characters="\n\x00", exclude_categories=["Cs"]), max_size=6), min_size=1, max_size=4
)


def run_index(body: dict[str, Any], index: int, index_map: str | None = None) -> Any:  # noqa: ANN401 - JSON
    """Run the command of *body* as the pod of *index* would."""
    environment = {**body["environment"], "JOB_COMPLETION_INDEX": str(index), "PATH": "/usr/bin:/bin"}
    if index_map is not None:
        environment["RESEARCHER_INDEX_MAP"] = index_map
    ran = subprocess.run(body["command"], env=environment, check=True, capture_output=True, text=True)
    return json.loads(ran.stdout)


def show(names: str) -> list[str]:
    """Return a command that prints the variables, and an argument of each kind that a shell could change."""
    return [sys.executable, "-c", SHOW, names, "a b", "$HOME", "*", ""]


class TestCommand:
    """The command line that the pods run."""

    @settings(deadline=None, max_examples=20)
    @given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=2))
    def test_each_index_has_its_combination(self, matrix: dict[str, list[str]]) -> None:
        """All indexes together are all combinations, and the arguments of the command arrive as they were."""
        body = apply_matrix({"command": show(",".join(matrix))}, matrix)
        expected = combinations(matrix)

        for index in {0, len(expected) // 2, len(expected) - 1}:
            assert run_index(body, index) == [expected[index], ["a b", "$HOME", "*", ""]]

    def test_a_retry_has_the_original_parameters(self) -> None:
        """The second pod of a retry of the indexes 1, 4 and 5 runs index 4."""
        matrix = {"LR": ["1e-4", "3e-4"], "SEED": ["0", "1", "2"]}
        body = apply_matrix({"command": show("LR,SEED")}, matrix)

        found = [run_index(body, index, "1,4,5")[0] for index in range(3)]
        assert found == [combinations(matrix)[index] for index in (1, 4, 5)]

    def test_a_script(self) -> None:
        """A script sees the parameters, and ends at the first error."""
        body = apply_matrix({"script": "echo $LR"}, {"LR": [1, 2]})

        ran = subprocess.run(
            ["/bin/sh", "-ec", body["script"]],
            env={**body["environment"], "JOB_COMPLETION_INDEX": "1"},
            check=True,
            capture_output=True,
            text=True,
        )
        assert ran.stdout == "2\n"

    def test_a_command_line(self) -> None:
        """A command that is one string gets the arguments of the submission."""
        body = apply_matrix({"command": "printf %s-%s"}, {"LR": ["a"]})

        ran = subprocess.run(
            [*body["command"], "x", "y"],
            env={**body["environment"], "JOB_COMPLETION_INDEX": "0", "PATH": "/usr/bin:/bin"},
            check=True,
            capture_output=True,
            text=True,
        )
        assert ran.stdout == "x-y"


class TestSubmission:
    """The submission of a sweep."""

    def test_is_an_indexed_job(self) -> None:
        """All run at once, and one that fails does not end the others."""
        body = apply_matrix({"command": ["x"], "gpu": 1}, {"A": [1, 2], "B": [1, 2, 3]})

        assert (body["indexed"], body["completions"], body["parallelism"]) == (True, 6, 6)
        assert body["backoffLimitPerIndex"] == 1

    def test_own_limits_stay(self) -> None:
        """What the user chooses is not replaced."""
        body = apply_matrix({"command": ["x"], "parallelism": 2, "backoffLimit": 0}, {"A": [1, 2, 3]})

        assert (body["parallelism"], body["backoffLimit"], "backoffLimitPerIndex" in body) == (2, 0, False)

    def test_parameters_are_in_the_submission(self) -> None:
        """The table of a sweep can be read from what was submitted."""
        matrix = {"LR": ["1e-4", "3e-4"], "SEED": ["0", "1"]}

        assert parameters_of(apply_matrix({"command": ["x"]}, matrix)) == combinations(matrix)

    @pytest.mark.parametrize(
        ("body", "matrix"),
        [
            ({}, {"A": [1]}),
            ({"command": ["x"], "completions": 3}, {"A": [1]}),
            ({"command": ["x"], "nodes": 2}, {"A": [1]}),
            ({"command": ["x"]}, {"A": []}),
            ({"command": ["x"]}, {"A-B": [1]}),
            ({"command": ["x"]}, {"A": ["1\n2"]}),
            ({"command": ["x"]}, {"A": range(1000), "B": range(1000)}),
        ],
    )
    def test_refuses(self, body: dict[str, Any], matrix: dict[str, Any]) -> None:
        """What cannot be a sweep is refused before a request."""
        with pytest.raises(UsageError):
            apply_matrix(body, matrix)


class TestOptions:
    """`--matrix`."""

    def test_lists_and_ranges(self) -> None:
        """Values are text, as they are written; a range has both ends."""
        assert parse_matrix(["LR=1e-4,3e-4", "SEED=0..3", "X=-1..1"]) == {
            "LR": ["1e-4", "3e-4"],
            "SEED": ["0", "1", "2", "3"],
            "X": ["-1", "0", "1"],
        }

    @pytest.mark.parametrize("option", ["LR", "=1", "1A=2", "A=", "A=5..1", "A=0..99999999"])
    def test_refuses(self, option: str) -> None:
        """A malformed option is refused."""
        with pytest.raises(UsageError):
            parse_matrix([option])

    def test_refuses_repetition(self) -> None:
        """A parameter has its values in one option."""
        with pytest.raises(UsageError, match="more than once"):
            parse_matrix(["A=1", "A=2"])
