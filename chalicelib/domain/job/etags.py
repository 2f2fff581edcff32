"""ETags of a Job: its resource version, and a checksum of its view, which also changes with its pods."""

from __future__ import annotations

import re
import zlib

from chalicelib.domain.errors import PreconditionFailed

TAG = '"([0-9]+)[.][0-9a-f]{8}"'
"""What `tag_of` makes; the group is the version."""
ONE_OR_ANY = f"^({TAG}|[*])$"
"""For the OpenAPI document; `version_in` decides."""


def tag_of(version: str, text: str) -> str:
    """The ETag of a Job of that resource *version*, whose view is answered as *text*."""
    return f'"{version}.{zlib.crc32(text.encode()):08x}"'


def is_known(tag: str, if_none_match: str | None) -> bool:
    """Whether *tag* is among those that the header If-None-Match names."""
    named = if_none_match or ""
    return tag in named or named.strip() == "*"


def version_in(if_match: str | None) -> str | None:
    """The resource version that the header If-Match names; None where any will do."""
    if if_match in (None, "*"):
        return None
    found = re.fullmatch(TAG, if_match or "")
    if found is None:
        raise PreconditionFailed("If-Match is not the ETag of a Job. Get the Job again.")
    return found[1]
