"""Secrets that must not come out: what the tests of the product print, and every refusal they meet, is searched.

A test puts `CANARY` into whatever is secret, or tells `watch` a secret that it got; tokens and keys are known by their
shape. tests/conftest.py fails each test of the searched suites whose captured output holds one, and `checked` is for
texts that are not printed: an answer, a status object, a Receipt.
"""

from __future__ import annotations

import re

CANARY = "canary-5f2d9c"

_SHAPES = {
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
    """From now on *secret*, which is *what*, must not come out."""
    _watched[secret] = what


def leaks(text: str) -> list[str]:
    """What is secret in *text*, in words."""
    found = [what for what, shape in _SHAPES.items() if shape.search(text)]
    return found + [what for secret, what in _watched.items() if secret in text]


def checked(text: str) -> str:
    """*text*, in which nothing is secret."""
    assert leaks(text) == []
    return text
