"""submit_upload: the errors that it raises, and its log line. tests/product tests what it does with events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.domain.errors import StorageUnavailable
from tests.support.builders import record
from tests.support.uploads import Uploads, handle_records

if TYPE_CHECKING:
    from infra.local.local_stack import Stack

DOCUMENT = b'{"image": "busybox", "labels": {"sweep": "7"}}'


@pytest.fixture
def uploads(stack: Stack) -> Uploads:
    """Return the bucket."""
    return Uploads(stack)


def line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return the one line that was logged."""
    (written,) = capsys.readouterr().out.splitlines()
    parsed: dict[str, Any] = json.loads(written)
    return parsed


class TestSubmitted:
    """A successful upload."""

    def test_is_logged(self, uploads: Uploads, capsys: pytest.CaptureFixture[str]) -> None:
        """The log line has the key and the Job."""
        outcomes = handle_records(uploads.put("submit/team-a/logged.json", DOCUMENT))

        logged = line(capsys)
        assert (logged["function"], logged["status"], logged["request"]) == ("submit_upload", 200, "invocation-1")
        assert logged["uploads"] == outcomes
        assert outcomes[0].items() >= {"outcome": "submitted", "key": "submit/team-a/logged.json"}.items()


class TestErrors:
    """An upload that a retry may resolve."""

    @pytest.mark.usefixtures("unreachable_bucket")
    def test_error_is_raised_for_a_retry(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Lambda retries the event, and the log line has the error."""
        with pytest.raises(StorageUnavailable):
            handle_records(record())

        logged = line(capsys)
        assert (logged["status"], logged["code"]) == (503, "storage_unavailable")
        assert logged["uploads"] == [{"outcome": "failed", "key": record()["s3"]["object"]["key"].replace("%2F", "/"),
                                    "why": "storage_unavailable"}]  # fmt: skip
