"""Handlers run and watched."""

from __future__ import annotations

import threading

import pytest

from infra.local.invocation import FunctionError, outcome_of


def _raise(error: BaseException) -> object:
    raise error


class TestOutcomeOf:
    """What becomes of a function."""

    def test_answer_is_passed_on(self) -> None:
        """A function's answer is the outcome."""
        assert outcome_of(lambda: 42, 30) == 42

    @pytest.mark.parametrize("error", [ValueError("x"), TimeoutError("its own"), SystemExit(1), KeyboardInterrupt()])
    def test_whatever_it_raises_is_a_failure(self, error: BaseException) -> None:
        """Its own time-out is not mistaken for ours, and it cannot end the process."""
        with pytest.raises(FunctionError) as failure:
            outcome_of(lambda: _raise(error), 30)

        assert failure.value.__cause__ is error

    def test_slow_function_is_left_alone(self) -> None:
        """The caller does not wait longer than it says."""
        release = threading.Event()

        with pytest.raises(TimeoutError):
            outcome_of(lambda: release.wait(30), 0.01)

        release.set()
