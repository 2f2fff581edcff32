"""submit_upload: what it raises, and what it logs. tests/product has what it makes of events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.domain.errors import StorageUnavailable
from tests.support.builders import record
from tests.support.uploads import Uploads, handled

if TYPE_CHECKING:
    from infra.local.local_stack import Stack

DOCUMENT = b'{"image": "busybox", "labels": {"sweep": "7"}}'


@pytest.fixture
def uploads(stack: Stack) -> Uploads:
    """The bucket."""
    return Uploads(stack)


def line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The one line that was logged."""
    (written,) = capsys.readouterr().out.splitlines()
    found: dict[str, Any] = json.loads(written)
    return found


class TestSubmitted:
    """An upload that is taken."""

    def test_is_logged(self, uploads: Uploads, capsys: pytest.CaptureFixture[str]) -> None:
        """With its key and its Job, in the line of the invocation."""
        outcomes = handled(uploads.put("submit/team-a/logged.json", DOCUMENT))

        told = line(capsys)
        assert (told["function"], told["status"], told["request"]) == ("submit_upload", 200, "invocation-1")
        assert told["uploads"] == outcomes
        assert outcomes[0].items() >= {"outcome": "submitted", "key": "submit/team-a/logged.json"}.items()


class TestRaised:
    """An upload that another try may help."""

    @pytest.mark.usefixtures("silent_bucket")
    def test_is_tried_again_by_lambda(self, capsys: pytest.CaptureFixture[str]) -> None:
        """It raises, and the log says what of."""
        with pytest.raises(StorageUnavailable):
            handled(record())

        told = line(capsys)
        assert (told["status"], told["code"]) == (503, "storage_unavailable")
        assert told["uploads"] == [{"outcome": "failed", "key": record()["s3"]["object"]["key"].replace("%2F", "/"),
                                    "why": "storage_unavailable"}]  # fmt: skip
