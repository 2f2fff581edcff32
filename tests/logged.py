"""The log as CloudWatch receives it: one line of JSON for each request and each event."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest


def line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return the one line that was written to the standard output since the last call."""
    written = capsys.readouterr()
    assert (written.err, written.out.count("\n"), written.out[-1:]) == ("", 1, "\n")
    found: dict[str, Any] = json.loads(written.out)
    return found
