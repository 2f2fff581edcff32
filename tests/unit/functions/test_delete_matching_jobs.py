"""delete_matching_jobs: the Jobs that a label selects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.api import Api

if TYPE_CHECKING:
    from infra.local.local_stack import Stack


def delete(api: Api, query: str) -> dict[str, Any]:
    """Delete, and return the response: names with success, and the rest."""
    body: dict[str, Any] = api.request("DELETE", f"/jobs/team-a?{query}").raise_for_status().json()
    return body | {"data": {each["name"]: each["ok"] for each in body["data"]}}


class TestDeleted:
    """A valid request."""

    def test_dry_run_first(self, api: Api) -> None:
        """The dry run lists the same Jobs, and deletes nothing; kept Jobs are spared."""
        for name in ("m-1", "m-2", "m-3"):
            api.submit(name=name, labels={"sweep": "m"})
        api.submit(name="m-4", labels={"sweep": "n"})
        api.request("PUT", "/jobs/team-a/m-2/keep").raise_for_status()
        everything = {"m-1", "m-2", "m-3", "m-4"}

        previewed = delete(api, "label=sweep=m&dryRun=true")
        assert everything <= set(api.names())
        deleted = delete(api, "label=sweep=m")

        assert previewed == {"data": {"m-1": True, "m-3": True}, "kept": ["m-2"], "more": False, "dryRun": True}
        assert deleted == {**previewed, "dryRun": False}
        assert everything & set(api.names()) == {"m-2", "m-4"}

    def test_no_match(self, api: Api) -> None:
        """Nothing to delete is no error."""
        assert delete(api, "label=sweep=none") == {"data": {}, "kept": [], "more": False, "dryRun": False}


class TestRejected:
    """Requests that would delete more than was meant: nothing is deleted."""

    @pytest.mark.parametrize(
        "path",
        ["/jobs/team-a", "/jobs/team-a/", "/jobs/team-a?label=", "/jobs/team-a/?label=", "/jobs/team-a?status=Pending"],
    )
    def test_missing_name_or_label(self, api: Api, path: str) -> None:
        """A script whose variable with the name or the label is empty."""
        api.submit(name="survivor", gpu=16)

        response = api.request("DELETE", path)

        assert response.status_code in {400, 403, 404}
        assert "survivor" in api.names()

    def test_other_project(self, stack: Stack, api: Api) -> None:
        """Nothing of another team's Project is deleted, or listed."""
        with Api(stack, "bob") as bob:
            bob.submit("team-b", name="theirs", labels={"sweep": "m"})

            response = api.request("DELETE", "/jobs/team-b?label=sweep=m")

            assert (response.status_code, response.json()["code"]) == (403, "forbidden")
            assert "theirs" in bob.names("team-b")
