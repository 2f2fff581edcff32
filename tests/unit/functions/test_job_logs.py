"""job_logs: a Job's log over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.localcluster.simulated_log import LOG_VARIABLE
from infra.localcluster.simulation import SIMULATE_VARIABLE
from tests.support.eventually import eventually

if TYPE_CHECKING:
    import httpx

    from tests.support.api import Api


def log_response(api: Api, name: str, text: str) -> httpx.Response:
    """Submit a Job whose pod prints *text*, and return the response with its log."""
    api.submit(name=name, environment={SIMULATE_VARIABLE: "run-forever", LOG_VARIABLE: text})
    return eventually(
        lambda: api.request("GET", f"/jobs/team-a/{name}/logs"), lambda response: response.status_code == 200
    )


class TestText:
    """The content of a log."""

    @pytest.mark.parametrize(
        ("name", "text", "expected"),
        [
            ("markup", "<script>alert(1)</script>", "<script>alert(1)</script>\n"),
            ("control", "\x1b[31mred\x07", "\x1b[31mred\x07\n"),
            ("json", '{"loss": 1}', '{"loss": 1}\n'),
            ("umlaut", "äß", "äß\n"),
            ("silent", "", ""),
        ],
    )
    def test_is_plain_text(self, api: Api, name: str, text: str, expected: str) -> None:
        """Any content is plain text, and browsers do not guess another type; an empty log is no error."""
        response = log_response(api, name, text)

        assert response.text == expected
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"
