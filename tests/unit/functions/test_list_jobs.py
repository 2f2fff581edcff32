"""list_jobs: pages and filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.api import Api

if TYPE_CHECKING:
    from infra.local.local_stack import Stack

NAMES = ["five", "four", "one", "three", "two"]


@pytest.fixture(scope="module", autouse=True)
def _jobs(stack: Stack) -> None:
    """Submit five Jobs to team-shared: three as alice, one of them interactive, and two as bob."""
    with Api(stack, "alice") as alice, Api(stack, "bob") as bob:
        for name in ("one", "two"):
            alice.submit("team-shared", name=name, labels={"sweep": "7"})
        alice.submit("team-shared", name="three", interactive=True)
        for name in ("four", "five"):
            bob.submit("team-shared", name=name, labels={"sweep": "8"})


def list_names(api: Api, query: str = "") -> list[str]:
    """List Jobs and return their names."""
    response = api.request("GET", f"/jobs/team-shared{query}").raise_for_status()
    return [job["name"] for job in response.json()["data"]]


class TestPages:
    """`limit` and `pageToken`."""

    def test_are_consecutive(self, api: Api) -> None:
        """Each Job is on one page, sorted by name; the last page has no token."""
        names: list[str] = []
        sizes = []
        query = "?limit=2"
        while query:
            page = api.request("GET", f"/jobs/team-shared{query}").json()
            names += [job["name"] for job in page["data"]]
            sizes.append(len(page["data"]))
            token = page["nextPageToken"]
            query = f"?limit=2&pageToken={token}" if token else ""

        assert (names, sizes) == (NAMES, [2, 2, 1])

    @pytest.mark.parametrize(
        "token", ["abc", "e30", "eyJydiI6MX0", "A" * 4096], ids=["not base64", "{}", "incomplete", "long"]
    )
    def test_invalid_token(self, api: Api, token: str) -> None:
        """The status is 400, with its own code."""
        response = api.request("GET", f"/jobs/team-shared?pageToken={token}")

        assert (response.status_code, response.json()["code"]) == (400, "invalid_page_token")


class TestFilters:
    """The other query parameters."""

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            pytest.param("?user=bob", ["five", "four"], id="user"),
            pytest.param("?jobTypeFilter=Interactive", ["three"], id="type"),
            pytest.param("?jobTypeFilter=Train&user=alice", ["one", "two"], id="type and user"),
            pytest.param("?label=sweep=7", ["one", "two"], id="label"),
            pytest.param("?label=sweep!=7", ["five", "four", "three"], id="another label"),
            pytest.param("?label=sweep=7,sweep=8", [], id="two labels"),
            pytest.param("?status=Failed", [], id="status"),
            pytest.param("?user=me", ["one", "three", "two"], id="own"),
            pytest.param("?name=t", ["three", "two"], id="prefix"),
            pytest.param("?name=t&user=bob", [], id="prefix and user"),
            pytest.param("?since=1h&name=f", ["five", "four"], id="new"),
            pytest.param("?since=2100-01-01", [], id="old"),
        ],
    )
    def test_are_combined(self, api: Api, query: str, names: list[str]) -> None:
        """Jobs that match all filters are listed."""
        assert list_names(api, query) == names
