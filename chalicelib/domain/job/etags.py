"""ETags of a Job: its resource version and a checksum of its view, which also changes when its pods change."""

from __future__ import annotations

import re
import zlib

from chalicelib.domain.errors import PreconditionFailed

ETAG_PATTERN = '"([0-9]+)[.][0-9a-f]{8}"'
"""The format of `etag_of`; the group is the resource version."""
IF_MATCH_PATTERN = f"^({ETAG_PATTERN}|[*])$"
"""The pattern in the OpenAPI document; requests are validated by `required_version`."""


def etag_of(version: str, body: str) -> str:
    """Return the ETag of a Job with that resource *version* and that response *body*."""
    return f'"{version}.{zlib.crc32(body.encode()):08x}"'


def matches(etag: str, if_none_match: str | None) -> bool:
    """Return whether the header If-None-Match contains *etag* or is `*`."""
    header = if_none_match or ""
    return etag in header or header.strip() == "*"


class ChangeSince:
    """The end of a wait for a change since the ETag that the caller knows.

    A Job that does not match the ETag has changed already. From then on only its resource version and its status count:
    messages about pods that cannot start alternate all the time.
    """

    def __init__(self, if_none_match: str | None) -> None:
        self._if_none_match = if_none_match
        self._first: tuple[str, str] | None = None

    def has_come(self, etag: str, version: str, status: str) -> bool:
        """Return whether the Job has changed, according to its *etag*, resource *version* and *status* now."""
        if self._first is None:
            self._first = version, status
            return not matches(etag, self._if_none_match)
        return self._first != (version, status)


def required_version(if_match: str | None) -> str | None:
    """Return the resource version in the header If-Match, or None if the header is missing or `*`.

    Raises: PreconditionFailed: the header is not the ETag of a Job.
    """
    if if_match in (None, "*"):
        return None
    match = re.fullmatch(ETAG_PATTERN, if_match or "")
    if match is None:
        raise PreconditionFailed("If-Match is not the ETag of a Job. Get the Job again.")
    return match[1]
