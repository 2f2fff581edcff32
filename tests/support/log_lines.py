"""The log lines of the functions, in what a test printed."""

from __future__ import annotations

import json
import re
from typing import get_args

from chalicelib.domain.errors import CATALOGUE
from chalicelib.domain.failure_reasons import FailureReason, System

_LINE = re.compile(r'\{"event":"request",.*\}$', re.MULTILINE)
_ISSUER = r"(?: \([!-~]+\))?"
"""The URL of a token issuer, which may be invalid."""
_REASON = rf"(?:(?:{'|'.join(get_args(System))}): )?(?:{'|'.join(FailureReason)}|status_[1-5]\d\d){_ISSUER}"
_WHY = re.compile(f"{_REASON}(?:; {_REASON})*")
_UNAVAILABLE = {code for code, error in CATALOGUE.items() if error.status in {503, 504}}


def unexplained(text: str) -> list[str]:
    """Return the lines in *text* about a system that was unavailable whose `why` is not a list of known reasons."""
    lines = [json.loads(found[0]) for found in _LINE.finditer(text)]
    return [
        f"{line['function']}: {line['code']} because of {line.get('why')}"
        for line in lines
        if line.get("code") in _UNAVAILABLE and not _WHY.fullmatch(str(line.get("why")))
    ]
