"""What is wrong with a document that is not YAML: the advice for each problem that libyaml reports."""

from __future__ import annotations

import re

import yaml

from chalicelib.domain.parsing.text_formats import other_format

_INDENTATION = "the indentation does not match the lines above; use spaces, and the same number for fields of one level"
_PROBLEMS: tuple[tuple[str, str], ...] = (
    ("mapping values are not allowed", f"no field is expected here; {_INDENTATION}"),
    ("could not find expected ':'", "expected a colon and a space after the key"),
    ("did not find expected ',' or '}'", "expected a comma or `}`; put a value with special characters in quotes"),
    ("did not find expected ',' or ']'", "expected a comma or `]`; put a value with special characters in quotes"),
    ("did not find expected '-' indicator", "expected `- ` as before the other items of this list"),
    ("did not find expected key", _INDENTATION),
    ("did not find expected node content", "expected a value"),
    ("block sequence entries are not allowed", "begin a list on a new line, below its key"),
    ("block mapping", _INDENTATION),
    ("did not find expected alphabetic or numeric", "put a value that begins with `*` or `&` in quotes"),
    ("found unknown escape character", "write a backslash in double quotes twice, or use single quotes"),
    ("did not find expected hexdecimal", "write the digits of the escape, or use single quotes"),
    ("found invalid Unicode character escape", "remove the escape; write the character itself"),
    ("tab character", "replace the tab with spaces"),
    ("found unexpected end of stream", "expected a closing quote"),
    ("found unexpected document indicator", "expected a closing quote"),
    ("found undefined tag handle", "put a value that begins with `!` in quotes"),
    ("tag", "put a value that begins with `!` in quotes"),
    ("expected <document start>", "the document ends before this line; indent the line, or remove it"),
    ("did not find expected <document start>", "the document ends before this line; indent the line, or remove it"),
    ("directive", "remove the line that begins with `%`"),
    ("block scalar", "write `|` or `>` alone at the end of the line, and the text below it, indented"),
    ("comment", "write a space before the comment"),
)
_NO_SPACE = re.compile(r"\s*[A-Za-z_][\w.-]*:[^\s/]")
_OPENING = {"'": "quote", '"': "quote", "[": "bracket", "{": "bracket"}
_AFTER_QUOTE = "expected the end of the line after the closing quote; put the whole value in quotes"
_NO_TEMPLATES = "put a template such as {{ name }} in quotes, and fill it in: this API has no templates"
_TEMPLATE = re.compile(r"\{\{|\{%")


def explain(body: bytes, error: Exception | None) -> str:
    """Return the sentence about *body*, for which the parser of YAML raised *error*."""
    if format_problem := other_format(body, "YAML", "document"):
        return format_problem
    text = body.decode("utf-8")
    if not isinstance(error, yaml.MarkedYAMLError):
        return _sentence(text, _first_forbidden(text), "remove this character, which YAML does not allow")
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return "The document is not valid YAML."
    advice = _advice(text, mark.index, f"{error.problem} {error.context}")
    return _sentence(text, mark.index, advice + _opening(text, error))


def _opening(text: str, error: yaml.MarkedYAMLError) -> str:
    """Return where the quote or bracket begins that is not closed, if that is the problem."""
    opened = error.context_mark
    is_open = str(error.problem).startswith("found unexpected") or "flow" in str(error.context)
    if opened is None or not is_open or text[opened.index : opened.index + 1] not in _OPENING:
        return ""
    return f"; the {_OPENING[text[opened.index]]} at line {opened.line + 1}, column {opened.column + 1} is not closed"


def _sentence(text: str, position: int, advice: str) -> str:
    line, column = text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)
    return f"The document is not valid YAML at line {line}, column {column}: {advice}."


def _first_forbidden(text: str) -> int:
    forbidden = yaml.reader.Reader.NON_PRINTABLE.search(text)
    return forbidden.start() if forbidden else 0


def _advice(text: str, index: int, problem: str) -> str:
    begin = text.rfind("\n", 0, index) + 1
    line, above = text[begin:].partition("\n")[0], text[: max(0, begin - 1)].rpartition("\n")[2]
    before = line[: index - begin]
    seen = (
        (re.match(r" *\t", line) or text[index : index + 1] == "\t", "replace the tab with spaces"),
        (_TEMPLATE.search(line), _NO_TEMPLATES),
        ("map" in problem and _NO_SPACE.match(above), "write a space after the colon in the line above"),
        ("cannot start any token" in problem, "put a value that begins with this character in quotes"),
        ("mapping values" in problem and ": " in before, "put a value that contains a colon and a space in quotes"),
        ("expected key" in problem and re.search(r"""["'][ ]*$""", before), _AFTER_QUOTE),
        *((part in problem, advice) for part, advice in _PROBLEMS),
    )
    return next((advice for is_seen, advice in seen if is_seen), _INDENTATION)
