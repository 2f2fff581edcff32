"""Tests of the remedies for exit codes."""

from __future__ import annotations

import pytest

from chalicelib.domain.diagnosis.exit_codes import EXIT_CODE_REMEDIES, exit_code_remedy
from chalicelib.domain.job.status_reason import StatusReason

KNOWN = [(f"The container ended with exit code {code}.", remedy) for code, remedy in EXIT_CODE_REMEDIES.items()]
OTHER = ["The container ended with exit code 1.", "The container ended with exit code None.", "back-off", ""]


class TestExitCodeRemedy:
    """Tests of exit_code_remedy."""

    @pytest.mark.parametrize(("message", "remedy"), [*KNOWN, *((message, "") for message in OTHER)])
    def test_remedy(self, message: str, remedy: str) -> None:
        """An exit code that has a usual cause has its own remedy; any other text has none."""
        assert exit_code_remedy(StatusReason("Error", message)) == remedy
