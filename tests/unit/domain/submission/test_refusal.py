"""Tests of the sentences about the refused fields of a submission; tests/product/mistakes.jsonl has many more."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import FieldError, InvalidJob
from chalicelib.domain.parsing.suggestions import plain
from chalicelib.domain.parsing.validation_messages import UNKNOWN
from chalicelib.domain.submission import foreign_fields
from chalicelib.domain.submission.field_forms import EXAMPLES, FORMS_OF_FIELDS, HINTS, REQUIRED, forms
from chalicelib.domain.submission.model import Submission, parse_submission
from chalicelib.domain.submission.unsupported_fields import UNSUPPORTED_FIELDS
from tests.support.builders import document

FIELDS = {field.alias or name for name, field in Submission.model_fields.items()}
SCHEMA = Submission.model_json_schema()
VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    0.5,
    10**9,
    "",
    "a b",
    "%",
    "x" * 9000,
    [],
    [1],
    ["x"] * 300,
    {},
    {"x": 1},
)
"""Values of every type, some of which each field refuses."""


def errors_in(value: object) -> dict[str, str]:
    """Return the messages by pointer."""
    with pytest.raises(InvalidJob) as error:
        parse_submission(value)
    found = [(each.pointer, each.message) for each in error.value.errors]
    assert len(dict(found)) == len(found), "one error for each value"
    return dict(found)


def patterns(schema: object) -> set[str]:
    """Return all patterns in *schema*."""
    if isinstance(schema, list):
        return {pattern for each in schema for pattern in patterns(each)}
    if not isinstance(schema, dict):
        return set()
    own = {schema["pattern"]} if isinstance(schema.get("pattern"), str) else set()
    keys = set(schema.get("patternProperties", {}))
    return own | keys | {pattern for each in schema.values() for pattern in patterns(each)}


def with_value(path: str, value: object) -> dict[str, object]:
    """Return a submission with *value* at *path*, in which `*` is an index or a key."""
    first, *steps = path.split("/")
    examples = {"pvc": {"name": "a", "path": "/a"}, "environment": {}, "retry": {}, "labels": {}, "annotations": {}}
    for place in range(len(steps), 0, -1):
        step, owner = steps[place - 1], [first, *steps[: place - 1]][-1]
        if step == "*" and owner in ("pvc", "command", "arguments", "exitCodes"):
            value = [value]
        elif step == "*":
            value = {"a": value}
        elif owner == "*" and first == "pvc":
            value = {**examples["pvc"], step: value}
        else:
            value = {"name": "a", "key": "b", step: value} if owner == "secret" else {step: value}
    return document(**{first: value})


class TestForms:
    """Tests of the sentences for patterns, and of the examples."""

    def test_each_pattern_has_a_sentence(self) -> None:
        """No regular expression is shown, and no field is only "invalid"."""
        assert patterns(SCHEMA) <= forms().keys()

    @pytest.mark.parametrize("sentence", [*forms().values(), *FORMS_OF_FIELDS.values()])
    def test_a_sentence_is_for_people(self, sentence: str) -> None:
        """A sentence completes the name of a field, and has no part of a regular expression."""
        assert sentence.startswith(("must have", "must be", "must not"))
        assert not re.search(r"[\^$*\\\[\]]", sentence)

    def test_each_field_has_an_example(self) -> None:
        """What is missing or has the wrong type is shown."""
        assert EXAMPLES.keys() >= FIELDS
        assert {"/".join(path) for path in REQUIRED} <= EXAMPLES.keys()
        assert {*HINTS, *FORMS_OF_FIELDS} <= FIELDS

    @pytest.mark.parametrize("path", EXAMPLES)
    def test_examples_are_valid(self, path: str) -> None:
        """The example of a field can be copied."""
        example = EXAMPLES[path].removesuffix(", in quotes").partition(" or ")[0]
        companions: dict[str, dict[str, object]] = {
            "indexed": {"completions": 2},
            "shell": {"script": "python train.py"},
            "memoryLimit": {"memory": "1Gi"},
            "backoffLimitPerIndex": {"completions": 2, "indexed": True},
            "maxFailedIndexes": {"completions": 2, "indexed": True, "backoffLimitPerIndex": 1},
            "pvc/*/size": {"pvc": [{"path": "/a", "size": json.loads(example)}]},
            "pvc/*/storageClass": {"pvc": [{"path": "/a", "size": "1Gi", "storageClass": json.loads(example)}]},
        }

        parse_submission(with_value(path, json.loads(example)) | companions.get(path, {}))

    @pytest.mark.parametrize("path", EXAMPLES)
    @pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:12])
    def test_every_refusal_has_a_sentence(self, path: str, value: object) -> None:
        """Whatever is wrong with a field, there is one error for it, which says what to write."""
        errors: tuple[FieldError, ...] = ()
        try:
            parse_submission(with_value(path, value))
        except InvalidJob as error:
            errors = error.errors

        assert [each for each in errors if each.message == UNKNOWN or "^" in each.message] == []
        assert len({each.pointer for each in errors}) == len(errors)


class TestForeignFields:
    """Tests of the table of fields of other tools."""

    def test_names_are_plain(self) -> None:
        """Names are compared without case and punctuation."""
        nested = [name for names in foreign_fields.NESTED.values() for name in names]
        names = [*foreign_fields.MEANT, *foreign_fields.REASONS, *foreign_fields.WHY, *nested]

        assert [name for name in names if plain(name) != name] == []

    def test_fields_exist(self) -> None:
        """A suggestion is a field."""
        assert set(foreign_fields.MEANT.values()) <= FIELDS

    def test_no_name_has_two_meanings(self) -> None:
        """A name is in one table only, and is not that of a field."""
        tables = [foreign_fields.MEANT.keys(), foreign_fields.REASONS.keys(), {plain(field) for field in FIELDS}]

        assert len(set().union(*tables)) == sum(map(len, tables))

    @pytest.mark.parametrize("name", [*foreign_fields.MEANT, *foreign_fields.REASONS])
    def test_each_name_has_one_sentence(self, name: str) -> None:
        """The sentence says what to do instead."""
        ((pointer, message),) = errors_in(document(**{name: 1})).items()

        assert pointer == f"/{name}"
        assert re.match(r"is not (a field of a Job[.:] .|supported: .)", message), message

    @pytest.mark.parametrize(("name", "field"), foreign_fields.MEANT.items())
    def test_missing_field_is_meant(self, name: str, field: str) -> None:
        """A required field under another name is not reported as missing, too."""
        value = {key: text for key, text in document().items() if key != field}
        unsupported = name in {plain(each) for each in UNSUPPORTED_FIELDS}

        assert list(errors_in({**value, name: 1})) == [f"/{field}"] * (unsupported and field in document()) + [
            f"/{name}"
        ]


class TestSentences:
    """Tests of rules that one sentence shows."""

    @pytest.mark.parametrize(
        ("fields", "pointer", "sentence"),
        [
            ({"namespace": "a"}, "/namespace", "`project` is set already; remove this field"),
            ({"enviroment": {}}, "/enviroment", "Did you mean `environment`?"),
            ({"working-dir": "/a"}, "/working-dir", "Did you mean `workingDir`?"),
            ({"tolerationss": []}, "/tolerationss", "Nodes are selected by `nodeType`"),
            ({"epochs": 3}, "/epochs", "pass it to your program in `arguments` or `environment`"),
            ({"image": None}, "/image", "not null; write a value"),
            ({"gpu": None}, "/gpu", "not null; leave it out, or write a value"),
            ({"cpu": "500m"}, "/cpu", "0.5, not 500m"),
            ({"gpu": "2"}, "/gpu", "write it without quotes"),
            ({"stdin": "True"}, "/stdin", "write it without quotes"),
            ({"type": "trian"}, "/type", "Did you mean `Train`?"),
            ({"type": "notebook"}, "/type", "Did you mean `Interactive`?"),
            ({"type": 1}, "/type", "must be one of `Train`, `Interactive`"),
            ({"preventPrivilegeEscalation": False}, "/preventPrivilegeEscalation", "must be true; or leave it out"),
            ({"name": "Train_1"}, "/name", "for example `train-1`"),
            ({"name": "Große Übung" * 9}, "/name", "for example `groe-ubunggroe-ubunggroe"),
            ({"name": "___"}, "/name", "digits and inner hyphens"),
            ({"pvc": [{"path": "/a", "name": "x", "mountPath": "/a"}]}, "/pvc/0/mountPath", "`path` is set already"),
            ({"pvc": [{"path": "/a", "name": "x", "mode": 1}]}, "/pvc/0/mode", "The fields are `path`, `name`, `size`"),
            ({"ttlAfterFinish": []}, "/ttlAfterFinish", "must be an integer or a string, not an array"),
            ({"ttlAfterFinish": "1h30m"}, "/ttlAfterFinish", "a whole number with one unit"),
            ({"environment": {"A": {"name": "x", "key": "y"}}}, "/environment/A/name", '"secret": {"name"'),
            ({"environment": {"A": {"secret": {"name": "x", "kye": "y"}}}}, "/environment/A/secret/kye", "mean `key`?"),
            ({"command": 1}, "/command", "must be a string or an array of strings, not a number"),
            ({"nodeType": "p5 48xlarge"}, "/nodeType", "must be an instance type, such as p5.48xlarge"),
        ],
    )
    def test_sentence(self, fields: dict[str, object], pointer: str, sentence: str) -> None:
        """The sentence is about the value that was meant."""
        assert sentence in errors_in(document(**fields))[pointer]

    @pytest.mark.parametrize(
        ("value", "sentence"),
        [
            ([document()], "submit each Job in a request of its own"),
            ("{}", "if it is JSON within quotes, encode it once"),
            (None, 'such as {"project": "team-a", "image": "nvcr.io/nvidia/pytorch:26.10-py3"}'),
        ],
    )
    def test_whole_document(self, value: object, sentence: str) -> None:
        """A document that is not an object has one error."""
        assert sentence in errors_in(value)[""]

    @given(st.dictionaries(st.text(max_size=12), st.sampled_from(VALUES), max_size=3))
    def test_any_field(self, fields: dict[str, object]) -> None:
        """Any other field has one sentence, which quotes none of its letters."""
        for field in fields.keys() - FIELDS:
            ((_, message),) = errors_in(document(**{field: fields[field]})).items()
            assert message.startswith(("is not a field of a Job", "is not supported: "))
