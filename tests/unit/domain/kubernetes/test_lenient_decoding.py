"""Tests of decoding objects with invalid values."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.kubernetes.jobs import Job, JobList
from chalicelib.domain.kubernetes.lenient_decoding import MAX_LEVELS, MAX_REMOVED, convert, decode, shallow

YEAR_0, YEAR_10000 = "0000-01-01T00:00:00Z", "10000-01-01T13:59:59Z"
GOOD: dict[str, Any] = {"metadata": {"name": "good", "labels": {"a": "b"}}}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from([YEAR_0, YEAR_10000, "[", '"', "\\"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abmetadata{}"), inner, max_size=3),
)


def nested(levels: int) -> bytes:
    """Return a list of two Jobs, the first with *levels* levels in its managedFields."""
    deep = b'{"f:a\\"}":' * levels + b"{}" + b"}" * levels
    first = b'{"metadata": {"name": "deep", "managedFields": [{"fieldsV1": ' + deep + b'}], "uid": "u"}}'
    return b'{"metadata": {"continue": "c"}, "items": [' + first + b"," + json.dumps(GOOD).encode() + b"]}"


class TestDecode:
    """Tests of decode and convert."""

    @pytest.mark.parametrize("levels", [10, 990, 9_991, 9_995, 100_000])
    def test_deeply_nested_object(self, levels: int) -> None:
        """A Job with more levels than Python can parse does not affect the rest of the list."""
        page = decode(nested(levels), JobList)

        assert [(each.metadata.name, each.metadata.uid) for each in page.items] == [("deep", "u"), ("good", "")]
        assert page.metadata.continue_ == "c"

    @pytest.mark.parametrize("invalid", [YEAR_0, YEAR_10000, "2020-01-01T00:00:00", 5, {}])
    def test_invalid_time(self, invalid: object) -> None:
        """An invalid time is treated as not set; the rest of the Job and other Jobs are decoded."""
        condition = {"type": "Complete", "status": "True", "lastTransitionTime": invalid}
        bad = {"metadata": {"name": "bad"}, "status": {"startTime": invalid, "active": 3, "conditions": [condition]}}

        first, second = decode(json.dumps({"items": [bad, GOOD]}).encode(), JobList).items

        assert (first.metadata.name, first.status.start_time, first.status.active) == ("bad", None, 3)
        assert (first.outcome, first.finished_at) == ("Succeeded", None)
        assert second == msgspec.convert(GOOD, Job)

    def test_only_invalid_values(self) -> None:
        """The number of attempts is limited; an object with only invalid values becomes the default."""
        names = [f"field_{number}" for number in range(2 * MAX_REMOVED + 1)]
        wide = msgspec.defstruct("Wide", [(name, int, 0) for name in names])

        assert convert(dict.fromkeys(names, "invalid"), wide) == wide()

    def test_many_invalid_values(self) -> None:
        """A field with too many invalid values is removed as a whole."""
        conditions = [{"type": "Other", "lastTransitionTime": YEAR_0}] * (MAX_REMOVED + 1)
        job = decode(json.dumps({**GOOD, "status": {"conditions": conditions}}).encode(), Job)

        assert (job.metadata.name, job.status.conditions) == ("good", [])

    @pytest.mark.parametrize("body", [b"", b"[]", b"5", b'{"items"'])
    def test_other_json(self, body: bytes) -> None:
        """A body that is not a JSON object raises msgspec.DecodeError."""
        with pytest.raises(msgspec.DecodeError):
            decode(body, JobList)

    @given(st.dictionaries(st.sampled_from(["metadata", "spec", "status", "items"]), JSON))
    def test_any_object(self, document: dict[str, Any]) -> None:
        """Any JSON object can be decoded."""
        assert isinstance(convert(document, Job), Job)
        assert isinstance(decode(json.dumps(document).encode(), JobList), JobList)


class TestShallow:
    """Tests of shallow."""

    @given(JSON)
    def test_json_within_the_limit(self, document: object) -> None:
        """JSON within the limit is unchanged, whatever brackets its strings contain."""
        body = json.dumps(document).encode()

        assert shallow(body) == body

    @pytest.mark.parametrize(("extra_levels", "expected"), [(0, []), (1, [None]), (7, [None])])
    def test_deeper_levels_become_null(self, extra_levels: int, expected: object) -> None:
        """Arrays below the last level are replaced with null."""
        levels = MAX_LEVELS + extra_levels
        value = json.loads(shallow(b"[" * levels + b"]" * levels))
        for _ in range(MAX_LEVELS - 1):
            (value,) = value

        assert value == expected
