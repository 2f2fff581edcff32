"""The parameters of a stack: read from a JSON or YAML file, completed with the defaults and checked with the template.

CloudFormation keeps the previous value of a parameter that an update does not mention. So that the file alone decides,
each deployment sends every parameter. Messages never contain a value, which may be secret.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

JsonObject = dict[str, Any]

RELEASE = "Release"
"""The parameter that `make deploy` sets itself."""


class ParametersError(Exception):
    """The parameters cannot be deployed; the text says why, a line for each reason."""


class VerbatimYaml(yaml.BaseLoader):
    """A YAML loader for which each scalar is its text: `on` is not true, and `010` is not 8."""

    def construct_mapping(self, node: yaml.Node, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping, or raise ParametersError if a key occurs twice."""
        assert isinstance(node, yaml.MappingNode)  # nosec B101 # noqa: S101 - for the type checker
        return _unique(
            [(self.construct_object(key, deep), self.construct_object(each, deep)) for key, each in node.value]
        )


def read_parameters(path: Path) -> dict[str, str]:
    """Return the values in the file *path* by name: a JSON object if its name ends in .json, else a YAML mapping."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".json":
            read = json.loads(text, object_pairs_hook=_unique, parse_int=str, parse_float=str, parse_constant=str)
        else:
            read = yaml.load(text, VerbatimYaml)  # nosec B506 # noqa: S506 - BaseLoader constructs only strings
    except (ValueError, yaml.YAMLError) as error:
        raise ParametersError(f"{path} cannot be read: {_position(error)}") from None
    if not isinstance(read, dict):
        raise ParametersError(f"{path} must be a mapping of parameters to values, such as `ClusterName: gpu-east`.")
    return {str(name): _text(path, str(name), value) for name, value in read.items()}


def complete_parameters(given: Mapping[str, str], declared: Mapping[str, JsonObject]) -> dict[str, str]:
    """Return a value for each parameter that the template declares, except Release; raise ParametersError."""
    problems = [*_problems(given, declared)]
    if problems:
        raise ParametersError("\n".join(problems))
    defaults = {name: str(each["Default"]) for name, each in declared.items() if "Default" in each}
    return {name: value for name, value in {**defaults, **given}.items() if name != RELEASE}


def _problems(given: Mapping[str, str], declared: Mapping[str, JsonObject]) -> Iterator[str]:
    for name, each in declared.items():
        if name not in given and "Default" not in each:
            yield f"{name} is missing: {each['Description']}."
    for name, value in given.items():
        if name == RELEASE:
            yield f"{name} is set by make deploy."
        elif name not in declared:
            yield f"{name} is not a parameter of the stack."
        elif not _accepts(declared[name], value):
            yield f"{name} is invalid: it must {_constraint(declared[name])}. {declared[name]['Description']}."


def _accepts(declared: JsonObject, value: str) -> bool:
    """Return whether CloudFormation would accept *value*; the pattern of a list is that of its items."""
    number = declared["Type"] == "Number"
    # CloudFormation accepts decimals, which the functions refuse.
    if number and not re.fullmatch(r"-?[0-9]+", value):
        return False
    items = value.split(",") if declared["Type"] == "CommaDelimitedList" else [value]
    return (
        value in declared.get("AllowedValues", [value])
        and all(re.fullmatch(declared.get("AllowedPattern", r"[\s\S]*"), item) for item in items)
        and declared.get("MinLength", 0) <= len(value) <= declared.get("MaxLength", 4096)
        and (not number or declared.get("MinValue", -1e99) <= float(value) <= declared.get("MaxValue", 1e99))
    )


def _constraint(declared: JsonObject) -> str:
    """Return what the template requires of the value, for people."""
    if "AllowedValues" in declared:
        return f"be one of {', '.join(declared['AllowedValues'])}"
    rules = {
        "AllowedPattern": "match {}",
        "MinLength": "have at least {} characters", "MaxLength": "have at most {} characters",
        "MinValue": "be at least {}", "MaxValue": "be at most {}",
    }  # fmt: skip
    found = [text.format(declared[key]) for key, text in rules.items() if key in declared]
    return " and ".join(["be an integer", *found] if declared["Type"] == "Number" else found) or "be shorter"


def _unique(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    names = [name for name, _ in pairs]
    if not all(isinstance(name, str) for name in names):
        raise ParametersError("A name of a parameter must be a string.")
    if twice := sorted({str(name) for name in names if names.count(name) > 1}):
        raise ParametersError(f"{', '.join(twice)}: given more than once.")
    return dict(pairs)


def _text(path: Path, name: str, value: object) -> str:
    """Return a value as CloudFormation expects it: a string, and a list as one with commas."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) and "," not in item for item in value):
        return ",".join(value)
    raise ParametersError(
        f"{path}: {name} must be a string, a number, true, false or a list of strings without commas."
    )


def _position(error: Exception) -> str:
    """Return where the syntax error is, and not the line, which may contain a secret."""
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark else getattr(error, "lineno", 1)
    return f"a syntax error in line {line}."
