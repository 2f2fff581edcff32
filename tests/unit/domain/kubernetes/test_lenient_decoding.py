"""Objects of the cluster of which a part cannot be read."""

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
    """A list of two Jobs, the first with so many levels in its managedFields."""
    deep = b'{"f:a\\"}":' * levels + b"{}" + b"}" * levels
    first = b'{"metadata": {"name": "deep", "managedFields": [{"fieldsV1": ' + deep + b'}], "uid": "u"}}'
    return b'{"metadata": {"continue": "c"}, "items": [' + first + b"," + json.dumps(GOOD).encode() + b"]}"


class TestDecode:
    """A list of objects of which some are odd."""

    @pytest.mark.parametrize("levels", [10, 990, 9_991, 9_995, 100_000])
    def test_levels(self, levels: int) -> None:
        """The API server takes 9,995 of them from whoever may create a Job, 1,000 more than any interpreter reads."""
        page = decode(nested(levels), JobList)

        assert [(one.metadata.name, one.metadata.uid) for one in page.items] == [("deep", "u"), ("good", "")]
        assert page.metadata.continue_ == "c"

    @pytest.mark.parametrize("odd", [YEAR_0, YEAR_10000, "2020-01-01T00:00:00", 5, {}])
    def test_a_time_that_python_does_not_have(self, odd: object) -> None:
        """It is not set; all else of the Job, and every other Job, is there."""
        end = {"type": "Complete", "status": "True", "lastTransitionTime": odd}
        bad = {"metadata": {"name": "bad"}, "status": {"startTime": odd, "active": 3, "conditions": [end]}}

        first, second = decode(json.dumps({"items": [bad, GOOD]}).encode(), JobList).items

        assert (first.metadata.name, first.status.start_time, first.status.active) == ("bad", None, 3)
        assert (first.outcome, first.finished_at) == ("Succeeded", None)
        assert second == msgspec.convert(GOOD, Job)

    def test_nothing_is_left_of_what_is_odd_everywhere(self) -> None:
        """The attempts are bounded, whatever somebody wrote."""
        names = [f"field_{number}" for number in range(2 * MAX_REMOVED + 1)]
        wide = msgspec.defstruct("Wide", [(name, int, 0) for name in names])

        assert convert(dict.fromkeys(names, "odd"), wide) == wide()

    def test_more_odd_values_than_anybody_counts(self) -> None:
        """What holds them is not set."""
        conditions = [{"type": "Odd", "lastTransitionTime": YEAR_0}] * (MAX_REMOVED + 1)
        job = decode(json.dumps({**GOOD, "status": {"conditions": conditions}}).encode(), Job)

        assert (job.metadata.name, job.status.conditions) == ("good", [])

    @pytest.mark.parametrize("body", [b"", b"[]", b"5", b'{"items"'])
    def test_what_is_no_object(self, body: bytes) -> None:
        """It is refused, as by msgspec."""
        with pytest.raises(msgspec.DecodeError):
            decode(body, JobList)

    @given(st.dictionaries(st.sampled_from(["metadata", "spec", "status", "items"]), JSON))
    def test_whatever_an_object_holds(self, document: dict[str, Any]) -> None:
        """It can be read."""
        assert isinstance(convert(document, Job), Job)
        assert isinstance(decode(json.dumps(document).encode(), JobList), JobList)


class TestShallow:
    """JSON without what is too deep."""

    @given(JSON)
    def test_leaves_the_rest(self, document: object) -> None:
        """As it was, whatever brackets stand in texts."""
        body = json.dumps(document).encode()

        assert shallow(body) == body

    @pytest.mark.parametrize(("more", "left"), [(0, []), (1, [None]), (7, [None])])
    def test_cuts_below_the_last_level(self, more: int, left: object) -> None:
        """There null stands."""
        found = json.loads(shallow(b"[" * (MAX_LEVELS + more) + b"]" * (MAX_LEVELS + more)))
        for _ in range(MAX_LEVELS - 1):
            (found,) = found

        assert found == left
