"""`make run`: starts the local cloud, writes .local/session.env once it answers, and says what to paste next."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import urllib.request
from pathlib import Path

from infra.local.stack import Stack

SESSION = Path(".local/session.env")

WELCOME = """
The Researcher REST API answers on {base_url}
Its cluster is EMBEDDED: a Kubernetes API in memory with one fake 8-GPU node. No GPU is used, nothing is kept.

  Documentation   {docs_url}
  Authorize with  client id {client_id}, secret {client_secret}

In another terminal:

  source .local/session.env
  TOKEN=$(curl -sS -u "$CLIENT_ID:$CLIENT_SECRET" -d grant_type=client_credentials "$TOKEN_URL" \\
    | python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')
  curl -sS -H "Authorization: Bearer $TOKEN" "$BASE_URL/projects"

Ctrl-C ends it. One line of log for each request follows.
"""


def main() -> int:
    """Runs until it is interrupted; 1 when the port is taken."""
    arguments = _arguments()
    port = arguments.port
    if arguments.cluster != "embedded":
        sys.stderr.write("CLUSTER=real: not yet. Run it with CLUSTER=embedded.\n")
        return 1
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    try:
        with Stack(port) as stack:
            _check(stack)
            _write_session(stack)
            stop.wait()
            SESSION.unlink(missing_ok=True)
    except OSError as error:
        sys.stderr.write(f"Port {port} is taken ({error.strerror}). Choose another: make run PORT={port + 1}\n")
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="where the API listens on 127.0.0.1")
    parser.add_argument("--cluster", choices=("embedded", "real"), default="embedded", help="where Jobs run")
    return parser.parse_args()


def _check(stack: Stack) -> None:
    with urllib.request.urlopen(f"{stack.base_url}/health", timeout=10) as answer:  # noqa: S310 - our own loopback URL
        answer.read()


def _write_session(stack: Stack) -> None:
    session = stack.session()
    SESSION.parent.mkdir(exist_ok=True)
    SESSION.touch(mode=0o600)
    SESSION.write_text("".join(f"export {name}={value}\n" for name, value in session.items()))
    print(WELCOME.format(**{name.lower(): value for name, value in session.items()}), flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
