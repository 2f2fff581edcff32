"""ETags of a Job: its resource version, and a checksum of its view, which also changes with its pods."""

from __future__ import annotations

import re
import zlib

from chalicelib.domain.errors import PreconditionFailed

ETAG_PATTERN = '"([0-9]+)[.][0-9a-f]{8}"'
"""What `tag_of` makes; the group is the version."""
IF_MATCH_PATTERN = f"^({ETAG_PATTERN}|[*])$"
"""For the OpenAPI document; `version_in` decides."""


def etag_of(version: str, text: str) -> str:
    """The ETag of a Job of that resource *version*, whose view is answered as *text*."""
    return f'"{version}.{zlib.crc32(text.encode()):08x}"'


def matches(tag: str, if_none_match: str | None) -> bool:
    """Whether *tag* is among those that the header If-None-Match names."""
    named = if_none_match or ""
    return tag in named or named.strip() == "*"


def required_version(if_match: str | None) -> str | None:
    """The resource version that the header If-Match names; None where any will do."""
    if if_match in (None, "*"):
        return None
    found = re.fullmatch(ETAG_PATTERN, if_match or "")
    if found is None:
        raise PreconditionFailed("If-Match is not the ETag of a Job. Get the Job again.")
    return found[1]
