"""A stream of events from the API server, which another thread may stop."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from urllib3.exceptions import HTTPError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import urllib3


class Watch:
    """The events of one watch: their type, and the object."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response
        self._stopped = False

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each event until the stream ends, breaks, or is silent for longer than the client waits."""
        rest = b""
        # ValueError, AttributeError: a TLS socket of Python that another thread cuts off between two of its own steps.
        with contextlib.suppress(HTTPError, OSError, ValueError, AttributeError):
            for chunk in self._response.stream():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if self._stopped:  # a reader that is interrupted may be left with bytes that nobody deciphered
                        return
                    event = json.loads(line)
                    yield event["type"], event["object"]

    def stop(self) -> None:
        """Ends the stream for whoever reads it."""
        self._stopped = True
        with contextlib.suppress(OSError, ValueError, RuntimeError):  # RuntimeError: it has ended by itself
            self._response.shutdown()

    def close(self) -> None:
        """Gives the connection up, once nobody reads it."""
        self._response.close()
