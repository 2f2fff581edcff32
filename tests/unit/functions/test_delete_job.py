"""delete_job: preconditions and the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.api import Api


@pytest.fixture
def job(api: Api) -> str:
    """Submit a Job and return its id."""
    return str(api.submit(name="existing", gpu=16).json()["id"])


class TestPreconditions:
    """`uid` and `If-Match`."""

    @pytest.mark.parametrize(
        ("uid", "tag"),
        [
            pytest.param("{uid}", None, id="uid"),
            pytest.param(None, "{tag}", id="ETag"),
            pytest.param(None, "*", id="any ETag"),
        ],
    )
    def test_matching_preconditions(self, api: Api, uid: str | None, tag: str | None) -> None:
        """The Job has not changed since it was read, and is deleted."""
        own = {"tag": api.create_pending_job("unchanged"), "uid": api.job("unchanged")["id"]}
        params = {"uid": uid.format(**own)} if uid else {}
        headers = {"If-Match": tag.format(**own)} if tag else {}

        response = api.request("DELETE", "/jobs/team-a/unchanged", params=params, headers=headers)

        assert response.json() == {"name": "unchanged", "project": "team-a", "ok": True, "error": None}
        assert "unchanged" not in api.names()

    @pytest.mark.parametrize(
        ("uid", "tag"),
        [
            pytest.param("00000000-0000-0000-0000-000000000000", None, id="uid of an earlier Job"),
            pytest.param(None, '"1.00000000"', id="ETag before a change"),
        ],
    )
    def test_failed_preconditions(self, api: Api, job: str, uid: str | None, tag: str | None) -> None:
        """The Job was changed or replaced, and is not deleted."""
        params, headers = {"uid": uid} if uid else {}, {"If-Match": tag} if tag else {}

        response = api.request("DELETE", "/jobs/team-a/existing", params=params, headers=headers)

        assert (response.status_code, response.json()["code"]) == (412, "precondition_failed")
        assert api.job("existing")["id"] == job


class TestReason:
    """The parameter `reason`."""

    def test_is_logged(self, api: Api, job: str, capfd: pytest.CaptureFixture[str]) -> None:
        """The log line of the request has the reason."""
        assert job
        api.request("DELETE", "/jobs/team-a/existing", params={"reason": "wrong seed"})

        assert '"reason":"wrong seed"' in capfd.readouterr().out
