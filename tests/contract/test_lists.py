"""Lists: pages, label selectors and field selectors."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from tests.support.namespace import error_of, job

if TYPE_CHECKING:
    from tests.support.namespace import NamespaceClient

META = "meta.k8s.io/v1"
LABELS = {
    "a": {"team": "red"},
    "b": {"team": "blue", "example.com/kind": "train"},
    "c": {"team": "green", "example.com/kind": ""},
    "d": {},
}


@pytest.fixture
def with_jobs(namespace: NamespaceClient) -> NamespaceClient:
    """Create four suspended Jobs, and return their namespace."""
    for name, labels in LABELS.items():
        namespace.submit({**job(name, suspend=True), "metadata": {"name": name, "labels": labels}})
    return namespace


def encode(token: object) -> str:
    """Return a continue token in the format of the API server."""
    return base64.urlsafe_b64encode(json.dumps(token).encode()).decode().rstrip("=")


def names(namespace: NamespaceClient, **query: str) -> list[str]:
    """Return the names of the Jobs that *query* selects, in the order of the response."""
    return [each["metadata"]["name"] for each in namespace.client.get(namespace.jobs, **query)["items"]]


class TestSelectors:
    """Label selectors and field selectors."""

    @pytest.mark.parametrize(
        ("selector", "expected"),
        [
            pytest.param("team in (red,blue)", "ab", id="in"),
            pytest.param("team in ( red , blue )", "ab", id="in with spaces"),
            pytest.param("team notin (red)", "bcd", id="notin includes Jobs without the label"),
            pytest.param("team=red", "a", id="equal"),
            pytest.param("team==red", "a", id="double equals sign"),
            pytest.param("team!=red", "bcd", id="unequal includes Jobs without the label"),
            pytest.param("team", "abc", id="exists"),
            pytest.param("!team", "d", id="is missing"),
            pytest.param("example.com/kind", "bc", id="exists, with prefix"),
            pytest.param("example.com/kind=", "c", id="empty value"),
            pytest.param("team in (red,blue),example.com/kind", "b", id="both"),
            pytest.param("", "abcd", id="none"),
        ],
    )
    def test_labels(self, with_jobs: NamespaceClient, selector: str, expected: str) -> None:
        """A list has the Jobs that match the label selector, in the order of their names."""
        assert list(expected) == names(with_jobs, labelSelector=selector)

    @pytest.mark.parametrize("selector", ["team in red", "team=(", "=red", "team in (red", "a b"])
    def test_invalid_label_selector(self, with_jobs: NamespaceClient, selector: str) -> None:
        """A selector that cannot be parsed is an error."""
        error = error_of(lambda: names(with_jobs, labelSelector=selector))

        assert error[:2] == (400, "BadRequest")

    @pytest.mark.parametrize(
        ("selector", "expected"),
        [pytest.param("metadata.name=b", "b", id="name"), pytest.param("metadata.name!=b", "acd", id="not the name")],
    )
    def test_fields(self, with_jobs: NamespaceClient, selector: str, expected: str) -> None:
        """A list has the Jobs that match the field selector."""
        assert list(expected) == names(with_jobs, fieldSelector=selector)

    def test_unsupported_field_selector(self, with_jobs: NamespaceClient) -> None:
        """Only some fields are supported in a field selector."""
        error = error_of(lambda: names(with_jobs, fieldSelector="spec.suspend=true"))

        assert error[:2] == (400, "BadRequest")
        assert error.message == 'field label "spec.suspend" not supported for Job'


class TestPages:
    """Pagination."""

    def test_limit_and_continue(self, with_jobs: NamespaceClient) -> None:
        """A page has at most `limit` Jobs in the order of their names, and the number of remaining ones."""
        first = with_jobs.client.get(with_jobs.jobs, limit="3")
        rest = with_jobs.client.get(with_jobs.jobs, limit="3", **{"continue": first["metadata"]["continue"]})

        assert [each["metadata"]["name"] for each in first["items"]] == ["a", "b", "c"]
        assert [each["metadata"]["name"] for each in rest["items"]] == ["d"]
        assert first["metadata"]["remainingItemCount"] == 1
        assert "continue" not in rest["metadata"]

    def test_have_one_resource_version(self, with_jobs: NamespaceClient) -> None:
        """All pages of a list have one resourceVersion; a Job that is created between two pages is missing."""
        first = with_jobs.client.get(with_jobs.jobs, limit="3")
        with_jobs.submit(job("e", suspend=True))

        rest = with_jobs.client.get(with_jobs.jobs, limit="3", **{"continue": first["metadata"]["continue"]})

        assert first["metadata"]["resourceVersion"] == rest["metadata"]["resourceVersion"]

    def test_limit_applies_to_matching_jobs(self, with_jobs: NamespaceClient) -> None:
        """`limit` counts the Jobs that match the selector."""
        first = with_jobs.client.get(with_jobs.jobs, limit="1", labelSelector="team!=red")
        token = first["metadata"]["continue"]

        assert [each["metadata"]["name"] for each in first["items"]] == ["b"]
        assert names(with_jobs, labelSelector="team!=red", **{"continue": token}) == ["c", "d"]

    def test_limit_equals_the_number_of_jobs(self, with_jobs: NamespaceClient) -> None:
        """There is no empty last page."""
        assert "continue" not in with_jobs.client.get(with_jobs.jobs, limit="4")["metadata"]

    @pytest.mark.parametrize(
        "token",
        [
            "garbage",
            "!!",
            *map(
                encode,
                [
                    {}, [], {"v": META}, {"v": "x", "rv": 1, "start": "a"}, {"v": META, "rv": 0, "start": "a"},
                    {"v": META, "rv": 1, "start": ""}, {"v": META, "rv": 1, "start": ["a", "b"]},
                    {"v": META, "rv": 1, "start": "../a"}, {"v": META, "rv": "1", "start": "a"},
                    {"v": META, "rv": 10**30, "start": "a"},
                ],
            ),
        ],
    )  # fmt: skip
    def test_invalid_token(self, with_jobs: NamespaceClient, token: str) -> None:
        """An invalid continue token is an error that mentions the token."""
        error = error_of(lambda: names(with_jobs, limit="1", **{"continue": token}))

        assert error[:2] == (400, "BadRequest")
        assert "continue" in error.message

    def test_token_of_a_future_version(self, with_jobs: NamespaceClient) -> None:
        """For a future resourceVersion, a real API server waits for three seconds before it returns this error."""
        token = encode({"v": META, "rv": 10**18, "start": "/a\0"})

        error = error_of(lambda: names(with_jobs, limit="1", **{"continue": token}))

        assert error[:2] == (504, "Timeout")
        assert "Too large resource version" in error.message

    @pytest.mark.parametrize(("start", "expected"), [("/b\0", "cd"), ("b\0", "cd"), ("/a~", "bcd"), ("/zz", "")])
    def test_token_with_negative_version(self, with_jobs: NamespaceClient, start: str, expected: str) -> None:
        """A token with a negative version continues at any name with the latest resourceVersion."""
        assert names(with_jobs, **{"continue": encode({"v": META, "rv": -1, "start": start})}) == list(expected)

    @pytest.mark.parametrize("limit", ["x", "1.5"])
    def test_limit_must_be_a_number(self, with_jobs: NamespaceClient, limit: str) -> None:
        """A limit that is not an integer is an error."""
        assert error_of(lambda: names(with_jobs, limit=limit)).status == 400

    def test_items_have_no_kind(self, with_jobs: NamespaceClient) -> None:
        """Only the list has a kind, not its items."""
        jobs = with_jobs.client.get(with_jobs.jobs)

        assert (jobs["kind"], jobs["apiVersion"]) == ("JobList", "batch/v1")
        assert not any("kind" in each for each in jobs["items"])
