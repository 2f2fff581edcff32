"""Start the local cloud, write .local/session.env when it is ready, print the next commands, and stop on Ctrl-C."""

from __future__ import annotations

import argparse
import errno
import sys
import urllib.request
from contextlib import ExitStack, redirect_stdout
from functools import partial
from io import StringIO
from typing import TYPE_CHECKING

from infra.local.interruption import Interruption
from infra.local.local_stack import Stack
from infra.local.schedule import Schedule
from infra.local.session_file import SessionFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.local.local_cluster import Review, SomeCluster

INTERVAL_SECONDS = {"announce": 60.0, "cleanup": 3600.0}
"""Seconds between two runs of a function: the default schedules of a deployment."""

WELCOME = """
The Researcher REST API listens on {base_url}
Its cluster is {cluster}. No GPU is used, and all data is lost at exit.

  Documentation   {docs_url}
  Authorize with  client id {client_id}, secret {client_secret}

In another terminal:

  source {file}
  TOKEN=$(curl -sS -u "$CLIENT_ID:$CLIENT_SECRET" -d grant_type=client_credentials "$TOKEN_URL" \\
    | python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')
  curl -sS -H "Authorization: Bearer $TOKEN" "$BASE_URL/projects"

In a notebook or a script, with python-dotenv:

  from dotenv import load_dotenv; load_dotenv("{absolute}")

Press Ctrl-C to stop. One log line for each request follows.
"""


def serve(make_cluster: Callable[[Review], SomeCluster], description: str) -> int:
    """Serve until interrupted, on the port of the command line; return 1 if the port is taken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=_port, default=8000, help="port of the API on 127.0.0.1")
    port = parser.parse_args().port
    interruption = Interruption()
    try:
        stack = Stack(make_cluster, port)
        with ExitStack() as started:
            # The file is complete before the port opens: scripts wait for the port, and source the file.
            started.push(stack.enter(accept=False))
            session_file = SessionFile.write(stack.session())
            started.callback(session_file.remove)
            stack.gateway.accept()
            _check_health(stack.base_url)
            file = session_file.path
            values = {name.lower(): value for name, value in stack.session().items()}
            print(WELCOME.format(cluster=description, file=file, absolute=file.resolve(), **values), flush=True)  # noqa: T201
            with ExitStack() as schedules:
                for name, seconds in INTERVAL_SECONDS.items():
                    action = partial(stack.functions.answer, name, "RequestResponse", b"{}")
                    schedules.enter_context(Schedule(seconds, action))
                interruption.wait()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        sys.stderr.write(f"Port {port} is in use ({error.strerror}). Choose another one: make run PORT={port + 1}\n")
        return 1
    return 0


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**16:
        raise argparse.ArgumentTypeError("the port must be a number below 65536")
    return int(text)


def _check_health(base_url: str) -> None:
    # The log line of this request would only confuse the user.
    with redirect_stdout(StringIO()), urllib.request.urlopen(f"{base_url}/health", timeout=10) as response:  # nosec B310 # noqa: S310 - our own loopback URL
        response.read()
