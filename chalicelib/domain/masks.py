"""What is kept of a Job without what may be secret: names stay, values become `***`."""

from __future__ import annotations

from typing import Any

MASK = "***"
WORDS = frozenset({"command", "args", "arguments"})
"""Fields of a submission and of a pod's spec that are words of a command line, which may hold a password."""


def masked_submission(submission: Any) -> Any:  # noqa: ANN401 - JSON
    """*submission* without the values of its variables and the words of its command; Secrets stay named."""
    if not isinstance(submission, dict):
        return None
    variables = {"environment": _without_values(submission["environment"])} if "environment" in submission else {}
    return _without_words(submission) | variables


def masked_spec(spec: Any) -> Any:  # noqa: ANN401 - JSON
    """The same of a Job's spec, wherever in it a container, a probe or a hook stands."""
    if isinstance(spec, list):
        return [masked_spec(one) for one in spec]
    if not isinstance(spec, dict):
        return spec
    inner = {name: MASK if name == "value" else masked_spec(value) for name, value in spec.items()}
    return _without_words(inner)


def _without_values(environment: Any) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(environment, dict):
        return MASK
    return {name: value if isinstance(value, dict) else MASK for name, value in environment.items()}


def _without_words(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: _hidden(value) if name in WORDS else value for name, value in fields.items()}


def _hidden(words: Any) -> Any:  # noqa: ANN401 - JSON
    return [MASK] * len(words) if isinstance(words, list) else MASK
