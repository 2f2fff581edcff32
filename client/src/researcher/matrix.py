"""A sweep as one Indexed Job: each index runs with its own combination of parameters.

The values of each parameter are in an environment variable, RESEARCHER_MATRIX_<name>, one on a line. A few lines of
POSIX shell in front of the command look the index up, and export the parameters. In a retry, RESEARCHER_INDEX_MAP has
the original indexes, so that a retried index runs with the parameters that it had.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

from researcher.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PREFIX = "RESEARCHER_MATRIX_"
MAX_INDEXES = 100_000
MAX_PARALLEL = 1024
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)")
_SETUP = """\
_researcher_i=$JOB_COMPLETION_INDEX
if [ -n "${RESEARCHER_INDEX_MAP-}" ]; then
  _researcher_m=$RESEARCHER_INDEX_MAP,
  while [ "$_researcher_i" -gt 0 ]; do _researcher_m=${_researcher_m#*,}; _researcher_i=$((_researcher_i - 1)); done
  _researcher_i=${_researcher_m%%,*}
fi
_researcher_nl='
'
_researcher_pick() {
  _researcher_n=$((_researcher_i % $2)); _researcher_i=$((_researcher_i / $2)); _researcher_v=$3$_researcher_nl
  while [ "$_researcher_n" -gt 0 ]; do
    _researcher_v=${_researcher_v#*"$_researcher_nl"}; _researcher_n=$((_researcher_n - 1))
  done
  export "$1=${_researcher_v%%"$_researcher_nl"*}"
}
"""
_RESERVED = ("_researcher_", "RESEARCHER_", "JOB_COMPLETION_INDEX")


def parse_matrix(options: Iterable[str]) -> dict[str, list[str]]:
    """Return the parameters of `--matrix LR=1e-4,3e-4` and `--matrix SEED=0..4`."""
    matrix: dict[str, list[str]] = {}
    for option in options:
        name, equals, values = option.partition("=")
        if not equals or not _NAME.fullmatch(name) or not values:
            raise UsageError(f"--matrix {option} must be NAME=VALUE,VALUE or NAME=FIRST..LAST.")
        if name in matrix:
            raise UsageError(f"--matrix {name} was given more than once.")
        matrix[name] = _values(values)
    return matrix


def apply_matrix(body: Mapping[str, Any], matrix: Mapping[str, Sequence[object]]) -> dict[str, Any]:
    """Return the submission of an Indexed Job for *matrix*."""
    parameters = {name: [_text(name, value) for value in values] for name, values in matrix.items()}
    count = len(combinations(parameters))
    for taken in {"indexed", "completions", "nodes"} & set(body):
        raise UsageError(f"A matrix sets the number of indexes: {taken} cannot be set.")
    sweep: dict[str, Any] = {"parallelism": min(count, MAX_PARALLEL), **body, "indexed": True, "completions": count}
    if not {"backoffLimit", "backoffLimitPerIndex"} & set(body):
        sweep["backoffLimitPerIndex"] = 1  # one combination that fails does not end the others
    values = {f"{PREFIX}{name}": "\n".join(each) for name, each in parameters.items()}
    sweep["environment"] = {**body.get("environment", {}), **values}
    sweep |= _wrap(body, parameters)
    return sweep


def combinations(matrix: Mapping[str, Sequence[object]]) -> list[dict[str, str]]:
    """Return the parameters of each index; the last parameter changes fastest."""
    if not matrix or not all(matrix.values()):
        raise UsageError("A matrix needs at least one value for each parameter.")
    count = 1
    for values in matrix.values():
        count *= len(values)
    if count > MAX_INDEXES:
        raise UsageError(f"The matrix has {count} combinations; an array has at most {MAX_INDEXES} indexes.")
    names = list(matrix)
    return [
        dict(zip(names, (str(each) for each in values), strict=True)) for values in itertools.product(*matrix.values())
    ]


def parameters_of(submission: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the parameters of each index of a sweep from its submission; nothing if it is not a sweep."""
    environment = submission.get("environment")
    if not isinstance(environment, dict):
        return []
    matrix = {
        name.removeprefix(PREFIX): str(values).split("\n")
        for name, values in environment.items()
        if name.startswith(PREFIX)
    }
    return combinations(matrix) if matrix else []


def _wrap(body: Mapping[str, Any], parameters: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the command that looks the parameters up, and then runs that of *body*."""
    # The last parameter changes fastest, so it is taken from the index first.
    backwards = reversed(list(parameters.items()))
    picks = "".join(f'_researcher_pick {name} {len(values)} "${PREFIX}{name}"\n' for name, values in backwards)
    command = body.get("command")
    if script := body.get("script"):
        return {"script": f"{_SETUP}{picks}{script}"}
    if isinstance(command, list) and command:
        return {"command": ["/bin/sh", "-ec", f'{_SETUP}{picks}exec "$@"', "sh", *command]}
    if isinstance(command, str) and command.strip():
        return {"command": ["/bin/sh", "-ec", f'{_SETUP}{picks}exec {command} "$@"', "sh"]}
    raise UsageError("A matrix needs a command, which gets the parameters as environment variables.")


def _values(text: str) -> list[str]:
    if bounds := _RANGE.fullmatch(text):
        first, last = int(bounds[1]), int(bounds[2])
        if not 0 <= last - first < MAX_INDEXES:
            raise UsageError(f"The range {text} must go from its first number up to its last.")
        return [str(each) for each in range(first, last + 1)]
    return text.split(",")


def _text(name: str, value: object) -> str:
    if not _NAME.fullmatch(name) or name.startswith(_RESERVED):
        raise UsageError(f"The parameter {name} must be a name of an environment variable.")
    if "\n" in str(value):
        raise UsageError(f"A value of the parameter {name} must not contain a line break.")
    return str(value)
