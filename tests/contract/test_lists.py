"""Lists: pages, label selectors and field selectors."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from tests.support.namespace import job, outcome_of

if TYPE_CHECKING:
    from tests.support.namespace import TestNamespace

META = "meta.k8s.io/v1"
LABELS = {
    "a": {"team": "red"},
    "b": {"team": "blue", "example.com/kind": "train"},
    "c": {"team": "green", "example.com/kind": ""},
    "d": {},
}


@pytest.fixture
def filled(space: TestNamespace) -> TestNamespace:
    """Four suspended Jobs."""
    for name, labels in LABELS.items():
        space.submit({**job(name, suspend=True), "metadata": {"name": name, "labels": labels}})
    return space


def encoded(token: object) -> str:
    """A continue token as the cluster writes it."""
    return base64.urlsafe_b64encode(json.dumps(token).encode()).decode().rstrip("=")


def names(space: TestNamespace, **query: str) -> list[str]:
    """The names of the Jobs that *query* finds, as they come."""
    return [one["metadata"]["name"] for one in space.client.get(space.jobs, **query)["items"]]


class TestSelectors:
    """Which objects a list has."""

    @pytest.mark.parametrize(
        ("selector", "found"),
        [
            pytest.param("team in (red,blue)", "ab", id="in"),
            pytest.param("team in ( red , blue )", "ab", id="in with spaces"),
            pytest.param("team notin (red)", "bcd", id="notin takes those without"),
            pytest.param("team=red", "a", id="equal"),
            pytest.param("team==red", "a", id="equal twice"),
            pytest.param("team!=red", "bcd", id="unequal takes those without"),
            pytest.param("team", "abc", id="exists"),
            pytest.param("!team", "d", id="is missing"),
            pytest.param("example.com/kind", "bc", id="exists, with prefix"),
            pytest.param("example.com/kind=", "c", id="empty value"),
            pytest.param("team in (red,blue),example.com/kind", "b", id="both"),
            pytest.param("", "abcd", id="none"),
        ],
    )
    def test_labels(self, filled: TestNamespace, selector: str, found: str) -> None:
        """A list has what its label selector asks for, by name."""
        assert list(found) == names(filled, labelSelector=selector)

    @pytest.mark.parametrize("selector", ["team in red", "team=(", "=red", "team in (red", "a b"])
    def test_unreadable_labels(self, filled: TestNamespace, selector: str) -> None:
        """A selector that means nothing is refused, not ignored."""
        refusal = outcome_of(lambda: names(filled, labelSelector=selector))

        assert refusal[:2] == (400, "BadRequest")

    @pytest.mark.parametrize(
        ("selector", "found"),
        [pytest.param("metadata.name=b", "b", id="name"), pytest.param("metadata.name!=b", "acd", id="not the name")],
    )
    def test_fields(self, filled: TestNamespace, selector: str, found: str) -> None:
        """A list has what its field selector asks for."""
        assert list(found) == names(filled, fieldSelector=selector)

    def test_fields_that_cannot_be_asked(self, filled: TestNamespace) -> None:
        """Only some fields can be asked."""
        refusal = outcome_of(lambda: names(filled, fieldSelector="spec.suspend=true"))

        assert refusal[:2] == (400, "BadRequest")
        assert refusal.message == 'field label "spec.suspend" not supported for Job'


class TestPages:
    """Lists in parts."""

    def test_follow_each_other(self, filled: TestNamespace) -> None:
        """Each page has as many as asked for, in the order of names, and says how many are left."""
        first = filled.client.get(filled.jobs, limit="3")
        rest = filled.client.get(filled.jobs, limit="3", **{"continue": first["metadata"]["continue"]})

        assert [one["metadata"]["name"] for one in first["items"]] == ["a", "b", "c"]
        assert [one["metadata"]["name"] for one in rest["items"]] == ["d"]
        assert first["metadata"]["remainingItemCount"] == 1
        assert "continue" not in rest["metadata"]

    def test_belong_to_one_version(self, filled: TestNamespace) -> None:
        """A Job that was submitted between two pages is not on the second: lists are of one moment."""
        first = filled.client.get(filled.jobs, limit="3")
        filled.submit(job("e", suspend=True))

        rest = filled.client.get(filled.jobs, limit="3", **{"continue": first["metadata"]["continue"]})

        assert first["metadata"]["resourceVersion"] == rest["metadata"]["resourceVersion"]

    def test_count_what_matches(self, filled: TestNamespace) -> None:
        """A page is filled with what the selector asks for."""
        first = filled.client.get(filled.jobs, limit="1", labelSelector="team!=red")
        token = first["metadata"]["continue"]

        assert [one["metadata"]["name"] for one in first["items"]] == ["b"]
        assert names(filled, labelSelector="team!=red", **{"continue": token}) == ["c", "d"]

    def test_exactly_as_many_as_there_are(self, filled: TestNamespace) -> None:
        """There is no empty page at the end."""
        assert "continue" not in filled.client.get(filled.jobs, limit="4")["metadata"]

    @pytest.mark.parametrize(
        "token",
        [
            "garbage",
            "!!",
            *map(
                encoded,
                [
                    {}, [], {"v": META}, {"v": "x", "rv": 1, "start": "a"}, {"v": META, "rv": 0, "start": "a"},
                    {"v": META, "rv": 1, "start": ""}, {"v": META, "rv": 1, "start": ["a", "b"]},
                    {"v": META, "rv": 1, "start": "../a"}, {"v": META, "rv": "1", "start": "a"},
                    {"v": META, "rv": 10**30, "start": "a"},
                ],
            ),
        ],
    )  # fmt: skip
    def test_a_made_up_token(self, filled: TestNamespace, token: str) -> None:
        """The refusal says that it is about the token."""
        refusal = outcome_of(lambda: names(filled, limit="1", **{"continue": token}))

        assert refusal[:2] == (400, "BadRequest")
        assert "continue" in refusal.message

    def test_token_of_a_version_to_come(self, filled: TestNamespace) -> None:
        """A real API server waits for it three seconds, and says in these words that it has not come."""
        token = encoded({"v": META, "rv": 10**18, "start": "/a\0"})

        refusal = outcome_of(lambda: names(filled, limit="1", **{"continue": token}))

        assert refusal[:2] == (504, "Timeout")
        assert "Too large resource version" in refusal.message

    @pytest.mark.parametrize(("start", "found"), [("/b\0", "cd"), ("b\0", "cd"), ("/a~", "bcd"), ("/zz", "")])
    def test_token_that_goes_on_at_any_name(self, filled: TestNamespace, start: str, found: str) -> None:
        """With a negative version, from the newest one."""
        assert names(filled, **{"continue": encoded({"v": META, "rv": -1, "start": start})}) == list(found)

    @pytest.mark.parametrize("limit", ["x", "1.5"])
    def test_a_limit_that_is_no_number(self, filled: TestNamespace, limit: str) -> None:
        """It is refused."""
        assert outcome_of(lambda: names(filled, limit=limit)).status == 400

    def test_items_do_not_repeat_their_kind(self, filled: TestNamespace) -> None:
        """The list says of what it is."""
        found = filled.client.get(filled.jobs)

        assert (found["kind"], found["apiVersion"]) == ("JobList", "batch/v1")
        assert not any("kind" in one for one in found["items"])
