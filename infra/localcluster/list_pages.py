"""Continue tokens: where the next page of a list begins, and of which version the list is."""

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
    """Make the token of the page that begins behind *key*, in a list of one *namespace* or of all."""
    start = key[1] if namespace is not None else "/".join(key)
    token = msgspec.json.encode(_Token(VERSION, version, f"/{start}\0"))
    return base64.urlsafe_b64encode(token).decode().rstrip("=")


def parse_token(namespace: str | None, token: str) -> tuple[tuple[str, str], int]:
    """Return the first key of the page of *token*, and the list's version; Refusal 400 where it is none."""
    try:
        read = msgspec.json.decode(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)), type=_Token)
    except (ValueError, RecursionError) as error:
        raise _invalid(str(error)) from None
    start = read.start.removeprefix("/")
    if read.v != VERSION or not read.rv or not start or ".." in start.split("/"):
        raise _invalid(f"{read.v} {read.rv} {read.start}")
    if namespace is not None:
        return (namespace, start), read.rv
    place, _, name = start.rpartition("/")
    return (place, name), read.rv


def _invalid(why: str) -> Exception:
    return bad_request(f"invalid continue token: continue key is not valid: {why}")
