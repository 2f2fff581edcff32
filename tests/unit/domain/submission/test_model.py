"""A submission: hostile JSON in, a checked Submission or the list of what is wrong out."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import InvalidJob
from chalicelib.domain.submission.model import MAX_ERRORS, Submission, parse_submission
from chalicelib.domain.submission.reserved_variables import RENDEZVOUS_VARIABLES
from tests.support.builders import document, submission
from tests.support.submissions import documents

CANARY = "hunter2-the-canary"

TWICE = ("/pvc", "must not have the same path twice")
NEITHER = ("/pvc", "must each have either name (an existing claim) or size (an ephemeral volume)")
ALONE = "sets the number of pods; remove parallelism, completions and indexed"
FIELDS = [field.alias or "" for field in Submission.model_fields.values()]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)


def refused(value: object) -> list[tuple[str, str]]:
    """Place and rule of everything that is refused in *value*."""
    with pytest.raises(InvalidJob) as error:
        parse_submission(value)
    return [(one.pointer, one.message) for one in error.value.errors]


def places(value: object) -> set[str]:
    """Where something is refused in *value*."""
    return {pointer for pointer, _ in refused(value)}


class TestForms:
    """A Job bare, or wrapped as Run:ai wraps it."""

    def test_both_forms_are_the_same(self) -> None:
        """`{"job": {...}}` and `{...}` ask for the same."""
        assert parse_submission(document()) == parse_submission({"job": document()})

    def test_places_are_those_of_the_form_that_was_sent(self) -> None:
        """The pointers lead into the caller's own document."""
        assert places({"job": {"project": "a"}}) == {"/job/image"}
        assert places({"project": "a"}) == {"/image"}

    def test_wrapper_with_more_in_it_is_none(self) -> None:
        """Beside `job` nothing may stand: it would be dropped."""
        assert places({"job": document(), "extra": 1}) == {"/project", "/image", "/job", "/extra"}

    @pytest.mark.parametrize("value", [None, [], "x", 7, True, [document()]])
    def test_what_is_no_object_is_refused_as_a_whole(self, value: object) -> None:
        """The place is the document itself, or the wrapped one."""
        assert places(value) == {""}
        assert places({"job": value}) == {"/job"}

    def test_python_spelling_is_unknown(self) -> None:
        """The wire is camelCase alone."""
        assert refused(document(working_dir="/a")) == [("/working_dir", "is not a field of a Job")]


class TestDefaults:
    """What is asked when only the required is said."""

    def test_minimal(self) -> None:
        """One pod without a GPU, as user 1000; every other field is null."""
        found = submission()

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
            "runAsUid": 1000,
            "runAsGid": 1000,
            "preventPrivilegeEscalation": True,
            "stdin": False,
            "tty": False,
            "labels": {},
            "annotations": {},
        }
        assert expected == found.model_dump(by_alias=True, exclude_none=True)

    def test_null_is_as_good_as_missing(self) -> None:
        """A client that sends null for what it does not set asks for the default."""
        optional = {
            field.alias or "": None
            for field in Submission.model_fields.values()
            if not field.is_required() and field.default is None
        }

        assert submission() == submission(**optional)

    @pytest.mark.parametrize("field", ["gpu", "parallelism", "labels", "pvc", "stdin", "runAsUid", "arguments"])
    def test_null_for_what_has_a_value_is_refused(self, field: str) -> None:
        """Where there is no "not set", null is a mistake."""
        assert f"/{field}" in places(document(**{field: None}))

    def test_it_cannot_be_changed(self) -> None:
        """What was checked stays as it was checked."""
        found = submission()

        with pytest.raises(ValueError, match="frozen"):
            found.image = "other"


class TestLimits:
    """Numbers and counts have both ends."""

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
    def test_both_ends_are_taken_and_nothing_beyond(self, field: str, least: int, most: int) -> None:
        """The limits are inclusive. User and group 0 are root, and refused."""
        submission(**{field: least})
        submission(**{field: most})

        assert places(document(**{field: least - 1})) == {f"/{field}"}
        assert places(document(**{field: most + 1})) == {f"/{field}"}

    @pytest.mark.parametrize(
        ("field", "most", "item"),
        [("pvc", 16, {"size": "1Gi"}), ("arguments", 256, "x"), ("command", 256, "x")],
    )
    def test_lists_end(self, field: str, most: int, item: object) -> None:
        """A list is taken up to its limit."""

        def listed(count: int) -> dict[str, object]:
            items = [{**item, "path": f"/{n}"} if isinstance(item, dict) else item for n in range(count)]
            return document(**{field: items})

        parse_submission(listed(most))

        assert places(listed(most + 1)) == {f"/{field}"}

    @pytest.mark.parametrize(("field", "most"), [("environment", 128), ("labels", 32), ("annotations", 32)])
    def test_maps_end(self, field: str, most: int) -> None:
        """A map is taken up to its limit."""
        keys = {f"k{number}": "x" for number in range(most)}

        submission(**{field: keys})

        assert places(document(**{field: {**keys, "more": "x"}})) == {f"/{field}"}

    @pytest.mark.parametrize(
        "field", ["gpu", "parallelism", "completions", "backoffLimit", "maxRuntimeSeconds", "runAsUid", "cpu"]
    )
    @pytest.mark.parametrize("value", [True, "1", "", [], {}, float("nan"), float("inf"), 10**30, -1])
    def test_nothing_passes_for_a_number(self, field: str, value: object) -> None:
        """Booleans and texts are not numbers, and numbers are bounded."""
        assert places(document(**{field: value})) == {f"/{field}"}

    @pytest.mark.parametrize("field", ["indexed", "preemptible", "largeShm", "stdin", "tty", "interactive"])
    @pytest.mark.parametrize("value", [0, 1, "true", "yes", []])
    def test_nothing_passes_for_a_boolean(self, field: str, value: object) -> None:
        """Only true and false are."""
        assert places(document(**{field: value})) == {f"/{field}"}

    @pytest.mark.parametrize("value", [False, None, 0, "true"])
    def test_privilege_escalation_is_always_prevented(self, value: object) -> None:
        """Run:ai's switch is taken in its one safe position."""
        assert places(document(preventPrivilegeEscalation=value)) == {"/preventPrivilegeEscalation"}

    @pytest.mark.parametrize(
        ("field", "values"),
        [("type", ["Train", "Interactive"]), ("imagePullPolicy", ["Always", "IfNotPresent", "Never"])],
    )
    def test_choices_are_closed(self, field: str, values: list[str]) -> None:
        """Each choice is taken as it is written, nothing else is."""
        for value in values:
            submission(**{field: value})

        for other in ("", values[0].lower(), values[0] + "\n", 1):
            assert places(document(**{field: other})) == {f"/{field}"}


class TestAgreement:
    """Fields that must agree with each other."""

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            pytest.param(
                {"name": "a", "jobNamePrefix": "b"}, ("/jobNamePrefix", "set name or jobNamePrefix, not both")
            ),
            pytest.param({"type": "Train", "interactive": True}, ("/interactive", "must not contradict type")),
            pytest.param({"type": "Interactive", "interactive": False}, ("/interactive", "must not contradict type")),
            pytest.param({"cpu": 2, "cpuLimit": 1.999}, ("/cpuLimit", "must be at least cpu")),
            pytest.param({"memory": "1Gi", "memoryLimit": "1G"}, ("/memoryLimit", "must be at least memory")),
            pytest.param({"indexed": True}, ("/indexed", "requires completions")),
            pytest.param({"nodes": 2, "parallelism": 2}, ("/nodes", ALONE), id="nodes and parallelism"),
            pytest.param({"nodes": 2, "completions": 2}, ("/nodes", ALONE), id="nodes and completions"),
            pytest.param({"nodes": 2, "indexed": True, "completions": 2}, ("/nodes", ALONE), id="nodes and indexed"),
            pytest.param(
                {"nodes": 2, "environment": {"MASTER_PORT": "1"}},
                ("/nodes", f"sets {', '.join(RENDEZVOUS_VARIABLES)}; remove them from environment"),
                id="a rendezvous of one's own",
            ),
            pytest.param({"backoffLimitPerIndex": 1}, ("/backoffLimitPerIndex", "requires indexed")),
            pytest.param(
                {"nodes": 2, "backoffLimitPerIndex": 1}, ("/backoffLimitPerIndex", "requires indexed"), id="ranks"
            ),
            pytest.param(
                {"indexed": True, "completions": 2, "maxFailedIndexes": 1},
                ("/maxFailedIndexes", "requires backoffLimitPerIndex"),
            ),
            pytest.param(
                {"indexed": True, "completions": 2, "backoffLimitPerIndex": 0, "maxFailedIndexes": 3},
                ("/maxFailedIndexes", "must be at most completions"),
            ),
            pytest.param({"retry": {}}, ("/retry", "must have exitCodes or ignoreDisruptions"), id="no rule"),
            pytest.param({"pvc": [{"path": "/a", "name": "x"}, {"path": "/a", "name": "y"}]}, TWICE, id="same path"),
            pytest.param(
                {"pvc": [{"path": "/a", "name": "x"}, {"path": "/a/", "name": "y"}]},
                TWICE,
                id="but for a slash",
            ),
            pytest.param(
                {"largeShm": True, "pvc": [{"path": "/dev/shm", "name": "x"}]},  # noqa: S108 - in the container
                TWICE,
                id="path of the shared memory",
            ),
            pytest.param({"pvc": [{"path": "/a"}]}, NEITHER, id="neither name nor size"),
            pytest.param(
                {"pvc": [{"path": "/a", "name": "x", "size": "1Gi"}]},
                NEITHER,
                id="both name and size",
            ),
            pytest.param(
                {"pvc": [{"path": "/a", "name": "x", "storageClass": "fast"}]},
                ("/pvc", "must have size if storageClass is set"),
                id="a storage class that would be dropped",
            ),
        ],
    )
    def test_contradiction_is_refused(self, fields: dict[str, object], expected: tuple[str, str]) -> None:
        """Of two fields that contradict each other neither wins in silence."""
        assert [expected] == refused(document(**fields))

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
    def test_agreement_is_taken(self, fields: dict[str, object]) -> None:
        """Equal is not below, and what is missing contradicts nothing."""
        submission(**fields)

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"name": "-", "jobNamePrefix": "b"}, {"/name"}),
            ({"type": "x", "interactive": True}, {"/type"}),
            ({"cpu": -1, "cpuLimit": 1}, {"/cpu"}),
            ({"memory": "x", "memoryLimit": "1"}, {"/memory"}),
            ({"indexed": True, "completions": 0}, {"/completions", "/indexed"}),
        ],
    )
    def test_refused_field_is_compared_with_nothing(self, fields: dict[str, object], expected: set[str]) -> None:
        """A field that is refused itself does not break the check of another."""
        assert expected == places(document(**fields))


class TestJobType:
    """Train or Interactive, in either of Run:ai's two ways."""

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [({}, "Train"), ({"type": "Interactive"}, "Interactive"), ({"interactive": True}, "Interactive")],
    )
    def test_type(self, fields: dict[str, object], expected: str) -> None:
        """Train unless asked otherwise."""
        assert expected == submission(**fields).job_type


class TestErrors:
    """What is told of a refused Job."""

    def test_every_field_is_told_at_once(self) -> None:
        """The caller mends all mistakes in one round."""
        found = places({"project": "A", "gpu": -1, "pvc": [{"path": "a"}], "environment": {"1": "x"}})

        assert found == {"/project", "/image", "/gpu", "/pvc/0/path", "/environment/1"}

    def test_not_more_than_twenty(self) -> None:
        """The answer is bounded, however wrong the question."""
        found = refused(document(**{f"x{number}": 1 for number in range(50)}))

        assert MAX_ERRORS == 20
        assert len(found) == MAX_ERRORS

    def test_same_place_and_rule_are_told_once(self) -> None:
        """A value may fit no branch of a union: the caller sees places, not branches."""
        found = refused(document(environment={"A": {"secret": {"name": "-", "key": "-"}}}))

        assert len(set(found)) == len(found)
        assert {pointer for pointer, _ in found} == {"/environment/A", "/environment/A/secret/name"}

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
            ({"command": [1]}, "/command/0"),
        ],
    )
    def test_place_is_a_json_pointer(self, fields: dict[str, object], pointer: str) -> None:
        """Names are escaped as RFC 6901 says, and cut; branches of unions are no places."""
        assert pointer in places(document(**fields))

    def test_field_of_a_volume_is_told_where_it_is(self) -> None:
        """A refused name deeper down has its reason too."""
        ((place, rule),) = refused(document(pvc=[{"path": "/a", "name": "x", "volume": 1}]))

        assert (place, rule.startswith("is not supported: ")) == ("/pvc/0/volume", True)

    def test_words_of_pydantic_stay_inside(self) -> None:
        """Our own rules are told without pydantic's prefix."""
        assert refused(document(gpu=0.5)) == [("/gpu", "must be a whole number: GPUs are not shared")]

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
            {"command": [CANARY, 1]},
            {"image": f"user:{CANARY} @registry"},
            {"type": CANARY},
            {"gpu": CANARY},
            {"labels": {"a": CANARY + "!"}},
            {"unknown": CANARY},
            {"preventPrivilegeEscalation": CANARY},
        ],
    )
    def test_no_value_is_repeated(self, fields: dict[str, object]) -> None:
        """A value may be a secret: neither the answer nor the exception's text or chain holds it."""
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
    def test_what_is_no_json_is_refused_too(self, value: object) -> None:
        """Lone surrogates, odd keys and endless numbers end as errors that can be written down."""
        with pytest.raises(InvalidJob) as error:
            parse_submission(value)

        assert repr(error.value.errors).encode()

    def test_bottomless_nesting_is_refused(self) -> None:
        """Depth does not bring the parser down."""
        deep: Any = "x"
        for _ in range(100_000):
            deep = [deep]

        assert places(document(arguments=[deep], environment={"A": deep}, extra=deep)) == {
            "/arguments/0",
            "/environment/A",
            "/extra",
        }

    @given(JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, JSON)))
    def test_any_json_is_taken_or_refused(self, value: object) -> None:
        """There is no third way."""
        with suppress(InvalidJob):
            parse_submission(value)


class TestEverySubmission:
    """What holds for all."""

    @given(documents())
    def test_taken_again_it_is_the_same(self, value: dict[str, Any]) -> None:
        """A Submission written out is a submission, and means itself."""
        once = parse_submission(value)

        again = parse_submission(once.model_dump(mode="json", by_alias=True))

        assert once == again

    @given(documents())
    def test_as_asked_it_is_the_same(self, value: dict[str, Any]) -> None:
        """What is kept on the Job is all that was asked."""
        asked = parse_submission(value)

        again = parse_submission(json.loads(asked.as_submitted))

        assert (asked, asked.as_submitted) == (again, again.as_submitted)

    def test_order_of_variables_is_kept_but_no_part_of_its_identity(self) -> None:
        """Kubernetes expands `$(NAME)` from the variables before it, so a copy must hold them as they were given."""
        root, run = ("ROOT", "/data"), ("RUN", "$(ROOT)/7")
        one, other = (
            parse_submission({"project": "team-a", "image": "busybox", "environment": dict(variables)})
            for variables in ([root, run], [run, root])
        )

        assert list(json.loads(one.as_submitted)["environment"]) == ["ROOT", "RUN"]
        assert list(json.loads(other.as_submitted)["environment"]) == ["RUN", "ROOT"]
        assert one.identity == other.identity
