"""Tests of the validation of submissions."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import InvalidJob
from chalicelib.domain.submission.model import Submission, parse_submission
from chalicelib.domain.submission.refusal import MAX_ERRORS
from chalicelib.domain.submission.reserved_variables import RENDEZVOUS_VARIABLES
from tests.support.builders import document, submission
from tests.support.submissions import documents

CANARY = "hunter2-the-canary"

SAME_PATH = ("/pvc", "must not have the same path twice")
NAME_OR_SIZE = ("/pvc", "must each have either name (a claim) or size (an ephemeral volume)")
CONTRADICTION = "must not contradict type; remove one of the two"
REQUIRES_COMPLETIONS = 'requires completions, the number of indexes, such as "completions": 8'
EMPTY_RETRY = 'must have exitCodes or ignoreDisruptions; for example {"ignoreDisruptions": true}'
ONLY_NODES = "sets the number of pods; remove parallelism, completions and indexed"
FIELDS = [field.alias or "" for field in Submission.model_fields.values()]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)


def errors_in(value: object) -> list[tuple[str, str]]:
    """Return the pointers and messages of the errors in *value*."""
    with pytest.raises(InvalidJob) as error:
        parse_submission(value)
    return [(each.pointer, each.message) for each in error.value.errors]


def pointers(value: object) -> set[str]:
    """Return the pointers of the errors in *value*."""
    return {pointer for pointer, _ in errors_in(value)}


class TestForms:
    """Tests of the bare and the wrapped form."""

    def test_both_forms(self) -> None:
        """`{"job": {...}}` and `{...}` are the same submission."""
        assert parse_submission(document()) == parse_submission({"job": document()})

    def test_pointers_match_the_form(self) -> None:
        """The pointers refer to the document of the caller."""
        assert pointers({"job": {"project": "a"}}) == {"/job/image"}
        assert pointers({"project": "a"}) == {"/image"}

    def test_wrapper_with_other_members(self) -> None:
        """A wrapper with other members than `job` is rejected, because they would be ignored."""
        assert pointers({"job": document(), "extra": 1}) == {"/job", "/extra"}

    @pytest.mark.parametrize("value", [None, [], "x", 7, True, [document()]])
    def test_other_json(self, value: object) -> None:
        """The pointer of a value that is not an object is that of the whole document."""
        assert pointers(value) == {""}
        assert pointers({"job": value}) == {"/job"}

    def test_snake_case_is_unknown(self) -> None:
        """Only camelCase names are accepted."""
        assert errors_in(document(working_dir="/a")) == [
            (
                "/working_dir",
                'is not a field of a Job. Did you mean `workingDir`? For example "workingDir": "/workspace"',
            )
        ]


class TestDefaults:
    """Tests of defaults."""

    def test_minimal(self) -> None:
        """The default is one pod without GPUs, with the user ID 1000; other fields are null."""
        minimal = submission()

        expected: dict[str, object] = {
            "project": "team-a",
            "image": "busybox",
            "arguments": [],
            "environment": {},
            "gpu": 0,
            "parallelism": 1,
            "indexed": False,
            "preemptible": False,
            "largeShm": False,
            "pvc": [],
            "shell": "bash",
            "runAsUid": 1000,
            "runAsGid": 1000,
            "preventPrivilegeEscalation": True,
            "stdin": False,
            "tty": False,
            "labels": {},
            "annotations": {},
        }
        assert expected == minimal.model_dump(by_alias=True, exclude_none=True)

    def test_null_means_default(self) -> None:
        """Null for an optional field has the same effect as omitting it."""
        optional = {
            field.alias or "": None
            for field in Submission.model_fields.values()
            if not field.is_required() and field.default is None
        }

        assert submission() == submission(**optional)

    @pytest.mark.parametrize("field", ["gpu", "parallelism", "labels", "pvc", "stdin", "runAsUid", "arguments"])
    def test_null_for_a_field_with_a_default_is_rejected(self, field: str) -> None:
        """Null is only accepted for optional fields."""
        assert f"/{field}" in pointers(document(**{field: None}))

    def test_is_immutable(self) -> None:
        """A validated submission cannot be changed."""
        frozen = submission()

        with pytest.raises(ValueError, match="frozen"):
            frozen.image = "other"


class TestLimits:
    """Tests of limits."""

    @pytest.mark.parametrize(
        ("field", "least", "most"),
        [
            ("gpu", 0, 64),
            ("parallelism", 1, 1024),
            ("completions", 1, 100_000),
            ("nodes", 1, 256),
            ("backoffLimit", 0, 100),
            ("maxRuntimeSeconds", 1, 2_592_000),
            ("ttlAfterFinish", 1, 2_592_000),
            ("runAsUid", 1, 2**31 - 1),
            ("runAsGid", 1, 2**31 - 1),
        ],
    )
    def test_minimum_and_maximum(self, field: str, least: int, most: int) -> None:
        """Limits are inclusive. User and group 0 are root and rejected."""
        submission(**{field: least})
        submission(**{field: most})

        assert pointers(document(**{field: least - 1})) == {f"/{field}"}
        assert pointers(document(**{field: most + 1})) == {f"/{field}"}

    @pytest.mark.parametrize(
        ("field", "most", "item"),
        [("pvc", 16, {"size": "1Gi"}), ("arguments", 256, "x"), ("command", 256, "x")],
    )
    def test_maximum_of_arrays(self, field: str, most: int, item: object) -> None:
        """Arrays are accepted up to the limit."""

        def with_items(count: int) -> dict[str, object]:
            items = [{**item, "path": f"/{n}"} if isinstance(item, dict) else item for n in range(count)]
            return document(**{field: items})

        parse_submission(with_items(most))

        assert pointers(with_items(most + 1)) == {f"/{field}"}

    @pytest.mark.parametrize(("field", "most"), [("environment", 128), ("labels", 32), ("annotations", 32)])
    def test_maximum_of_objects(self, field: str, most: int) -> None:
        """Objects are accepted up to the limit."""
        keys = {f"k{number}": "x" for number in range(most)}

        submission(**{field: keys})

        assert pointers(document(**{field: {**keys, "more": "x"}})) == {f"/{field}"}

    @pytest.mark.parametrize(
        "field", ["gpu", "parallelism", "completions", "backoffLimit", "maxRuntimeSeconds", "runAsUid", "cpu"]
    )
    @pytest.mark.parametrize("value", [True, "1", "", [], {}, float("nan"), float("inf"), 10**30, -1])
    def test_invalid_number(self, field: str, value: object) -> None:
        """Booleans, strings and numbers out of range are rejected."""
        assert pointers(document(**{field: value})) == {f"/{field}"}

    @pytest.mark.parametrize("field", ["indexed", "preemptible", "largeShm", "stdin", "tty", "interactive"])
    @pytest.mark.parametrize("value", [0, 1, "true", "yes", []])
    def test_invalid_boolean(self, field: str, value: object) -> None:
        """Only true and false are accepted."""
        assert pointers(document(**{field: value})) == {f"/{field}"}

    @pytest.mark.parametrize("value", [False, None, 0, "true"])
    def test_privilege_escalation_is_always_prevented(self, value: object) -> None:
        """The field of Run:ai is accepted only with the value true."""
        assert pointers(document(preventPrivilegeEscalation=value)) == {"/preventPrivilegeEscalation"}

    @pytest.mark.parametrize(
        ("field", "values"),
        [("type", ["Train", "Interactive"]), ("imagePullPolicy", ["Always", "IfNotPresent", "Never"])],
    )
    def test_choices(self, field: str, values: list[str]) -> None:
        """Only the exact choices are accepted."""
        for value in values:
            submission(**{field: value})

        for other in ("", values[0].lower(), values[0] + "\n", 1):
            assert pointers(document(**{field: other})) == {f"/{field}"}


class TestAgreement:
    """Tests of fields that depend on each other."""

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            pytest.param(
                {"name": "a", "jobNamePrefix": "b"}, ("/jobNamePrefix", "set name or jobNamePrefix, not both")
            ),
            pytest.param({"type": "Train", "interactive": True}, ("/interactive", CONTRADICTION)),
            pytest.param({"type": "Interactive", "interactive": False}, ("/interactive", CONTRADICTION)),
            pytest.param({"cpu": 2, "cpuLimit": 1.999}, ("/cpuLimit", "must be at least cpu")),
            pytest.param(
                {"memory": "1Gi", "memoryLimit": "1G"},
                ("/memoryLimit", "must be at least memory"),
            ),
            pytest.param({"indexed": True}, ("/indexed", REQUIRES_COMPLETIONS)),
            pytest.param({"nodes": 2, "parallelism": 2}, ("/nodes", ONLY_NODES), id="nodes and parallelism"),
            pytest.param({"nodes": 2, "completions": 2}, ("/nodes", ONLY_NODES), id="nodes and completions"),
            pytest.param(
                {"nodes": 2, "indexed": True, "completions": 2}, ("/nodes", ONLY_NODES), id="nodes and indexed"
            ),
            pytest.param(
                {"nodes": 2, "environment": {"MASTER_PORT": "1"}},
                ("/nodes", f"sets {', '.join(RENDEZVOUS_VARIABLES)}; remove them from environment"),
                id="rendezvous variables",
            ),
            pytest.param({"backoffLimitPerIndex": 1}, ("/backoffLimitPerIndex", 'requires "indexed": true')),
            pytest.param(
                {"nodes": 2, "backoffLimitPerIndex": 1},
                ("/backoffLimitPerIndex", 'requires "indexed": true'),
                id="nodes and backoffLimitPerIndex",
            ),
            pytest.param(
                {"indexed": True, "completions": 2, "maxFailedIndexes": 1},
                ("/maxFailedIndexes", 'requires backoffLimitPerIndex, such as "backoffLimitPerIndex": 1'),
            ),
            pytest.param(
                {"indexed": True, "completions": 2, "backoffLimitPerIndex": 0, "maxFailedIndexes": 3},
                ("/maxFailedIndexes", "must be at most completions"),
            ),
            pytest.param({"retry": {}}, ("/retry", EMPTY_RETRY), id="empty retry"),
            pytest.param(
                {"pvc": [{"path": "/a", "name": "x"}, {"path": "/a", "name": "y"}]}, SAME_PATH, id="same path"
            ),
            pytest.param(
                {"pvc": [{"path": "/a", "name": "x"}, {"path": "/a/", "name": "y"}]},
                SAME_PATH,
                id="same path with a slash",
            ),
            pytest.param(
                {"largeShm": True, "pvc": [{"path": "/dev/shm", "name": "x"}]},  # noqa: S108 - in the container
                SAME_PATH,
                id="path of shared memory",
            ),
            pytest.param({"pvc": [{"path": "/a"}]}, NAME_OR_SIZE, id="neither name nor size"),
            pytest.param(
                {"pvc": [{"path": "/a", "name": "x", "size": "1Gi"}]},
                NAME_OR_SIZE,
                id="both name and size",
            ),
            pytest.param(
                {"pvc": [{"path": "/a", "name": "x", "storageClass": "fast"}]},
                ("/pvc", "must have size if storageClass is set"),
                id="storage class of an existing claim",
            ),
        ],
    )
    def test_contradiction_is_rejected(self, fields: dict[str, object], expected: tuple[str, str]) -> None:
        """Of two contradicting fields, neither silently takes precedence."""
        assert [expected] == errors_in(document(**fields))

    @pytest.mark.parametrize(
        "fields",
        [
            {"name": "a", "jobNamePrefix": None},
            {"jobNamePrefix": "a"},
            {"type": "Train", "interactive": False},
            {"type": "Interactive", "interactive": True},
            {"cpu": 2, "cpuLimit": 2},
            {"cpuLimit": 0.001},
            {"memory": "1024Mi", "memoryLimit": "1Gi"},
            {"indexed": True, "completions": 1},
            {"pvc": [{"path": "/dev/shm", "name": "x"}]},  # noqa: S108 - in the container
            {"largeShm": True, "pvc": [{"path": "/dev/shm2", "name": "x"}]},  # noqa: S108 - in the container
            {"pvc": [{"path": "/a", "name": "x"}, {"path": "/b", "name": "x"}]},
            {"pvc": [{"path": "/a", "size": "1Gi", "storageClass": "fast"}, {"path": "/b", "size": "1Gi"}]},
        ],
    )
    def test_agreement_is_accepted(self, fields: dict[str, object]) -> None:
        """Equal limits and unset fields do not contradict others."""
        submission(**fields)

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"name": "-", "jobNamePrefix": "b"}, {"/name"}),
            ({"type": "x", "interactive": True}, {"/type"}),
            ({"cpu": -1, "cpuLimit": 1}, {"/cpu"}),
            ({"memory": "x", "memoryLimit": "1G"}, {"/memory"}),
            ({"indexed": True, "completions": 0}, {"/completions", "/indexed"}),
        ],
    )
    def test_invalid_field_is_not_compared(self, fields: dict[str, object], expected: set[str]) -> None:
        """An invalid field does not cause errors in fields that depend on it."""
        assert expected == pointers(document(**fields))


class TestJobType:
    """Tests of job_type."""

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [({}, "Train"), ({"type": "Interactive"}, "Interactive"), ({"interactive": True}, "Interactive")],
    )
    def test_type(self, fields: dict[str, object], expected: str) -> None:
        """The type can be set by either field; the default is Train."""
        assert expected == submission(**fields).job_type


class TestErrors:
    """Tests of errors."""

    def test_all_fields_are_reported(self) -> None:
        """All invalid fields are reported in one response."""
        reported = pointers({"project": "A", "gpu": -1, "pvc": [{"path": "a"}], "environment": {"1": "x"}})

        assert reported == {"/project", "/image", "/gpu", "/pvc/0/path", "/environment/1"}

    def test_number_of_errors_is_limited(self) -> None:
        """At most 20 errors are reported."""
        errors = errors_in(document(**{f"x{number}": 1 for number in range(50)}))

        assert MAX_ERRORS == 20
        assert len(errors) == MAX_ERRORS

    def test_no_duplicate_errors(self) -> None:
        """A value that matches no branch of a union is reported by field, not by branch."""
        errors = errors_in(document(environment={"A": {"secret": {"name": "-", "key": "-"}}}))

        assert len(set(errors)) == len(errors)
        assert {pointer for pointer, _ in errors} == {"/environment/A/secret/name"}

    @pytest.mark.parametrize(
        ("fields", "pointer"),
        [
            ({"a/b": 1}, "/a~1b"),
            ({"a~b": 1}, "/a~0b"),
            ({"~1": 1}, "/~01"),
            ({"x" * 100: 1}, "/" + "x" * 64),
            ({"labels": {"a b/c": "x"}}, "/labels/a b~1c"),
            ({"pvc": [{"path": "/a", "name": "x"}, {}]}, "/pvc/1/path"),
            ({"ttlAfterFinish": []}, "/ttlAfterFinish"),
            ({"command": [{}]}, "/command/0"),
            ({"labels": {"a": -1}}, "/labels/a"),
        ],
    )
    def test_pointers_are_json_pointers(self, fields: dict[str, object], pointer: str) -> None:
        """Names are escaped (RFC 6901) and truncated; branches of unions are omitted."""
        assert pointer in pointers(document(**fields))

    def test_unsupported_field_of_a_volume(self) -> None:
        """A nested field is compared with those of the volume, and not with those of the Job."""
        ((pointer, message),) = errors_in(document(pvc=[{"path": "/a", "name": "x", "volume": 1}]))

        assert (pointer, message.startswith("is not a field of a volume in `pvc`")) == ("/pvc/0/volume", True)

    def test_no_prefix_of_pydantic(self) -> None:
        """Messages of our own validators have no prefix of pydantic."""
        assert errors_in(document(gpu=0.5)) == [("/gpu", "must be a whole number: GPUs are not shared")]

    @pytest.mark.parametrize(
        "fields",
        [
            {"environment": {"TOKEN": CANARY + "\x00"}},
            {"environment": {"TOKEN": CANARY * 1000}},
            {"environment": {"TOKEN": {"secret": CANARY}}},
            {"environment": {"TOKEN": {"secret": {"name": CANARY.upper(), "key": CANARY + "!"}}}},
            {"environment": {"1TOKEN": CANARY}},
            {"environment": [CANARY]},
            {"command": f"curl -H '{CANARY}"},
            {"command": [CANARY, {}]},
            {"command": f"login {CANARY} && run"},
            {"command": f"echo {CANARY} $TOKEN"},
            {"command": f"TOKEN={CANARY} python train.py"},
            {"script": f"#!/bin/{CANARY}\nlogin"},
            {"script": "login", "command": CANARY},
            {"shell": CANARY, "script": "login"},
            {"memory": f"64{CANARY}"},
            {"image": f"user:{CANARY} @registry"},
            {"image": f"https://user:{CANARY}@registry/x"},
            {"image": f"user:{CANARY}@registry/x"},
            {"image": f"registry/{CANARY.upper()}"},
            {"image": f"registry/x:{CANARY}?"},
            {"type": CANARY},
            {"gpu": CANARY},
            {"labels": {"a": CANARY + "!"}},
            {"unknown": CANARY},
            {"preventPrivilegeEscalation": CANARY},
        ],
    )
    def test_errors_contain_no_values(self, fields: dict[str, object]) -> None:
        """A value may be a secret, so neither the response nor the exception or its chain contains it."""
        with pytest.raises(InvalidJob) as error:
            parse_submission(document(**fields))

        assert CANARY not in repr(error.value.problem()).lower()
        assert CANARY not in repr(error.value).lower()
        assert error.value.__cause__ is None
        assert error.value.__suppress_context__

    @pytest.mark.parametrize(
        "value",
        [
            {"\ud800": 1},
            {"project": "\ud800", "image": "\ud800"},
            document(labels={"\ud800": "x"}),
            document(command="\ud800"),
            {1: 2, None: 3},
            document(gpu=10**5000),
        ],
    )
    def test_values_that_are_not_json(self, value: object) -> None:
        """Errors for lone surrogates, other types of keys and huge numbers can be encoded."""
        with pytest.raises(InvalidJob) as error:
            parse_submission(value)

        assert repr(error.value.errors).encode()

    def test_deep_nesting_is_rejected(self) -> None:
        """Deeply nested values are reported as errors."""
        deep: Any = "x"
        for _ in range(100_000):
            deep = [deep]

        assert pointers(document(arguments=[deep], environment={"A": deep}, extra=deep)) == {
            "/arguments/0",
            "/environment/A",
            "/extra",
        }

    @given(JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, JSON)))
    def test_any_json_is_parsed_or_rejected(self, value: object) -> None:
        """No JSON raises any other exception."""
        with suppress(InvalidJob):
            parse_submission(value)


class TestEverySubmission:
    """Tests with generated submissions."""

    @given(documents())
    def test_round_trip(self, value: dict[str, Any]) -> None:
        """A serialized Submission is parsed to an equal one."""
        original = parse_submission(value)

        parsed = parse_submission(original.model_dump(mode="json", by_alias=True))

        assert original == parsed

    @given(documents())
    def test_round_trip_of_as_submitted(self, value: dict[str, Any]) -> None:
        """The annotation of a Job contains the complete submission."""
        original = parse_submission(value)

        parsed = parse_submission(json.loads(original.as_submitted))

        assert (original, original.as_submitted) == (parsed, parsed.as_submitted)

    def test_order_of_variables(self) -> None:
        """The order is kept, since `$(NAME)` refers to preceding variables, but the identity does not depend on it."""
        root, run = ("ROOT", "/data"), ("RUN", "$(ROOT)/7")
        first, second = (
            parse_submission({"project": "team-a", "image": "busybox", "environment": dict(variables)})
            for variables in ([root, run], [run, root])
        )

        assert list(json.loads(first.as_submitted)["environment"]) == ["ROOT", "RUN"]
        assert list(json.loads(second.as_submitted)["environment"]) == ["RUN", "ROOT"]
        assert first.identity == second.identity
