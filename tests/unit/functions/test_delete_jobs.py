"""delete_jobs: a list of Jobs, each deleted independently."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.api import Api

VALID = {"project": "team-a", "name": "valid"}


class TestDeleted:
    """A valid list."""

    def test_results_are_in_the_order_of_the_request(self, api: Api) -> None:
        """A missing Job does not stop the rest."""
        for name in ("one", "two"):
            api.submit(name=name)
        targets = [{"project": "team-a", "name": name} for name in ("one", "gone", "two")]

        results = api.request("DELETE", "/jobs", json=targets).json()["data"]

        assert [(each["name"], each["ok"]) for each in results] == [("one", True), ("gone", False), ("two", True)]
        assert results[1]["error"]["code"] == "job_not_found"
        assert {"one", "two"}.isdisjoint(api.names())

    def test_repeated_job_is_deleted_once(self, api: Api) -> None:
        """Both entries of the response have its result."""
        api.submit(name="twice")

        results = api.request("DELETE", "/jobs", json=[{"project": "team-a", "name": "twice"}] * 2).json()["data"]

        assert [each["ok"] for each in results] == [True, True]
        assert "twice" not in api.names()


class TestRejected:
    """An invalid list: nothing is deleted."""

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            pytest.param([], "", id="empty"),
            pytest.param({"name": "valid"}, "", id="not an array"),
            pytest.param([VALID] * 101, "", id="too many"),
            pytest.param([VALID, {"project": "team-a"}], "/1/name", id="missing name"),
            pytest.param([VALID, {"project": "team-a", "name": ""}], "/1/name", id="empty name"),
            pytest.param([VALID, {"project": "team-a", "name": ".."}], "/1/name", id="path"),
            pytest.param([VALID, {"project": "*", "name": "valid"}], "/1/project", id="wildcard"),
            pytest.param(
                [VALID, {"project": "team-a", "name": "valid", "force": True}], "/1/force", id="unknown field"
            ),
            pytest.param([VALID, "valid"], "/1", id="string"),
        ],
    )
    def test_lists(self, api: Api, body: object, pointer: str) -> None:
        """The status is 422, and the error has the path of the invalid part."""
        api.submit(name="valid", gpu=16)

        response = api.request("DELETE", "/jobs", json=body)

        assert (response.status_code, response.json()["code"]) == (422, "invalid_job")
        assert response.json()["errors"][0]["pointer"] == pointer
        assert "valid" in api.names()

    def test_name_with_a_line_feed(self, api: Api) -> None:
        """A pattern's `$` also matches before a line feed at the end; the name is rejected all the same."""
        api.submit(name="valid", gpu=16)

        response = api.request("DELETE", "/jobs", json=[VALID, {"project": "team-a", "name": "valid\n"}])

        assert (response.status_code, response.json()["code"]) == (400, "malformed_request")
        assert "valid" in api.names()
