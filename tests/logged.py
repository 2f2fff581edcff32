"""The log as CloudWatch gets it: one line of JSON for each request and each event."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest


def line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What was written since the last look: exactly one line, to standard output."""
    written = capsys.readouterr()
    assert (written.err, written.out.count("\n"), written.out[-1:]) == ("", 1, "\n")
    found: dict[str, Any] = json.loads(written.out)
    return found
