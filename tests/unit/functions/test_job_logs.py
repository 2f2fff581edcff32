"""job_logs: a Job's log over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.localcluster.log_content import LOG_VARIABLE
from infra.localcluster.pod_status import SIMULATE_VARIABLE
from tests.support.eventually import eventually

if TYPE_CHECKING:
    import httpx

    from tests.support.api import Api


def printed(api: Api, name: str, text: str) -> httpx.Response:
    """The answer with the log of a new Job whose pod prints *text*."""
    api.submit(name=name, environment={SIMULATE_VARIABLE: "run-forever", LOG_VARIABLE: text})
    return eventually(lambda: api.ask("GET", f"/jobs/team-a/{name}/logs"), lambda answer: answer.status_code == 200)


class TestText:
    """What a pod printed, as it is."""

    @pytest.mark.parametrize(
        ("name", "text", "answered"),
        [
            ("markup", "<script>alert(1)</script>", "<script>alert(1)</script>\n"),
            ("control", "\x1b[31mred\x07", "\x1b[31mred\x07\n"),
            ("json", '{"loss": 1}', '{"loss": 1}\n'),
            ("umlaut", "äß", "äß\n"),
            ("silent", "", ""),
        ],
    )
    def test_is_never_taken_for_anything_else(self, api: Api, name: str, text: str, answered: str) -> None:
        """Plain text, whatever it holds, and no browser guesses; a program that prints nothing is no error."""
        answer = printed(api, name, text)

        assert answer.text == answered
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
