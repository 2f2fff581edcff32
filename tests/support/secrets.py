"""A search for secrets in what the product prints, and in every error response.

A test puts `CANARY` into secret fields, or registers a secret with `watch`; tokens and keys are recognized by their
format. tests/conftest.py fails each test of the searched suites whose captured output holds a secret. `checked` is for
texts that are not printed: a response, a status object, a Receipt.
"""

from __future__ import annotations

import re

CANARY = "canary-5f2d9c"

_FORMATS = {
    "a canary": re.compile(CANARY),
    "a bearer token": re.compile(r"eyJ[-\w]{16,}\.eyJ[-\w]{16,}"),
    "an EKS token": re.compile(r"k8s-aws-v1\.[-\w]{16,}"),
    "AWS credentials": re.compile(
        r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|FQoGZXIvYXdzE|X-Amz-Signature|Credential=[A-Z0-9]{16}"
    ),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
}
_watched: dict[str, str] = {}


def watch(what: str, secret: str) -> None:
    """Register *secret*, described by *what*, as a value that must not be printed."""
    _watched[secret] = what


def leaks(text: str) -> list[str]:
    """Return descriptions of the secrets in *text*."""
    found = [what for what, pattern in _FORMATS.items() if pattern.search(text)]
    return found + [what for secret, what in _watched.items() if secret in text]


def checked(text: str) -> str:
    """Return *text* after a check that it holds no secret."""
    assert leaks(text) == []
    return text
