"""A stream of watch events from the API server, which another thread may stop."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from urllib3.exceptions import HTTPError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import urllib3


class Watch:
    """The events of one watch: type and object."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response
        self._stopped = False

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield each event until the stream ends, breaks, or the read times out."""
        rest = b""
        # ValueError, AttributeError: raised by a TLS socket that another thread shuts down during a read.
        with contextlib.suppress(HTTPError, OSError, ValueError, AttributeError):
            for chunk in self._response.stream():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if self._stopped:  # an interrupted read may return encrypted bytes
                        return
                    event = json.loads(line)
                    yield event["type"], event["object"]

    def stop(self) -> None:
        """End the stream for its reader."""
        self._stopped = True
        with contextlib.suppress(OSError, ValueError, RuntimeError):  # RuntimeError: the stream has already ended
            self._response.shutdown()

    def close(self) -> None:
        """Release the connection after reading."""
        self._response.close()
