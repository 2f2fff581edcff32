"""Continue tokens: the start of the next page of a list and the resource version of the list."""

from __future__ import annotations

import base64
from typing import Annotated

import msgspec

from infra.localcluster.status_errors import bad_request

VERSION = "meta.k8s.io/v1"


class _Token(msgspec.Struct):
    v: str = ""
    rv: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] = 0
    start: str = ""


def token_after(namespace: str | None, key: tuple[str, str], version: int) -> str:
    """Return the token of the page after *key*, in a list of one *namespace* or of all."""
    start = key[1] if namespace is not None else "/".join(key)
    token = msgspec.json.encode(_Token(VERSION, version, f"/{start}\0"))
    return base64.urlsafe_b64encode(token).decode().rstrip("=")


def parse_token(namespace: str | None, token: str) -> tuple[tuple[str, str], int]:
    """Return the start key of the page and the list's version; raise StatusError 400 if *token* is invalid."""
    try:
        parsed = msgspec.json.decode(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)), type=_Token)
    except (ValueError, RecursionError) as error:
        raise _invalid(str(error)) from None
    start = parsed.start.removeprefix("/")
    if parsed.v != VERSION or not parsed.rv or not start or ".." in start.split("/"):
        raise _invalid(f"{parsed.v} {parsed.rv} {parsed.start}")
    if namespace is not None:
        return (namespace, start), parsed.rv
    prefix, _, name = start.rpartition("/")
    return (prefix, name), parsed.rv


def _invalid(reason: str) -> Exception:
    return bad_request(f"invalid continue token: continue key is not valid: {reason}")
