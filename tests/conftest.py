"""Shared by all tests; with `tests/__init__.py` beside it, the root is importable however pytest is started."""

from __future__ import annotations

import hypothesis

# A shared machine may stall in any example: how long one takes proves nothing.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")
