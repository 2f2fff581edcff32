"""Handlers run and watched."""

from __future__ import annotations

import pytest

from infra.local.invocation import FunctionError, outcome_of


def _raise(error: BaseException) -> object:
    raise error


class TestOutcomeOf:
    """What becomes of a function."""

    @pytest.mark.parametrize("error", [ValueError("x"), TimeoutError("its own"), SystemExit(1), KeyboardInterrupt()])
    def test_whatever_it_raises_is_a_failure(self, error: BaseException) -> None:
        """Its own time-out is not mistaken for ours, and it cannot end the process."""
        with pytest.raises(FunctionError) as failure:
            outcome_of(lambda: _raise(error), 30)

        assert failure.value.__cause__ is error
