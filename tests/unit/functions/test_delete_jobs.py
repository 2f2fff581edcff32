"""delete_jobs: a list of Jobs, each on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.api import Api

GOOD = {"project": "team-a", "name": "kept"}


class TestDeleted:
    """A good list."""

    def test_says_what_became_of_each(self, api: Api) -> None:
        """In the order of the request; one that is not there does not stop the rest."""
        for name in ("one", "two"):
            api.submit(name=name)
        targets = [{"project": "team-a", "name": name} for name in ("one", "gone", "two")]

        done = api.ask("DELETE", "/jobs", json=targets).json()["data"]

        assert [(each["name"], each["ok"]) for each in done] == [("one", True), ("gone", False), ("two", True)]
        assert done[1]["error"]["code"] == "job_not_found"
        assert {"one", "two"}.isdisjoint(api.names())

    def test_a_job_named_twice_goes_once(self, api: Api) -> None:
        """Both entries of the response have its outcome."""
        api.submit(name="twice")

        done = api.ask("DELETE", "/jobs", json=[{"project": "team-a", "name": "twice"}] * 2).json()["data"]

        assert [each["ok"] for each in done] == [True, True]
        assert "twice" not in api.names()


class TestRefused:
    """A bad list deletes nothing, not even what is good in it."""

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            pytest.param([], "", id="empty"),
            pytest.param({"name": "kept"}, "", id="no list"),
            pytest.param([GOOD] * 101, "", id="too many"),
            pytest.param([GOOD, {"project": "team-a"}], "/1/name", id="no name"),
            pytest.param([GOOD, {"project": "team-a", "name": ""}], "/1/name", id="an empty name"),
            pytest.param([GOOD, {"project": "team-a", "name": ".."}], "/1/name", id="a path"),
            pytest.param([GOOD, {"project": "*", "name": "kept"}], "/1/project", id="any project"),
            pytest.param([GOOD, {"project": "team-a", "name": "kept", "force": True}], "/1/force", id="another field"),
            pytest.param([GOOD, "kept"], "/1", id="a text"),
        ],
    )
    def test_lists(self, api: Api, body: object, pointer: str) -> None:
        """422, and the place is named."""
        api.submit(name="kept", gpu=16)

        answer = api.ask("DELETE", "/jobs", json=body)

        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_job")
        assert answer.json()["errors"][0]["pointer"] == pointer
        assert "kept" in api.names()

    def test_a_name_and_a_new_line(self, api: Api) -> None:
        """A pattern's `$` also matches before a new line at the end; the name is refused all the same."""
        api.submit(name="kept", gpu=16)

        answer = api.ask("DELETE", "/jobs", json=[GOOD, {"project": "team-a", "name": "kept\n"}])

        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
        assert "kept" in api.names()
