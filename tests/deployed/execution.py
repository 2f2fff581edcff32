"""One execution environment of Lambda: a process with the zip and the managed runtime, for one event at a time.

The process runs AWS's own runtime client, through the documented interface:
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from infra.local.http_server import LoopbackServer
from infra.local.wire import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from infra.local.wire import Headers, HttpSyntaxError

INIT_SECONDS = 30.0
"""Lambda limits the initialization to 10 s; this machine is slower."""
CHECK_SECONDS = 0.02
"""The interval between two checks of a process's memory."""
PAGE = os.sysconf("SC_PAGE_SIZE")
MEGABYTE = 2**20


@dataclass(frozen=True)
class Function:
    """The configuration of a function: *task* is the unzipped folder, *runtime* the packages of the managed runtime."""

    name: str
    handler: str
    task: Path
    runtime: Path
    timeout: float
    memory: int
    environment: Mapping[str, str] = field(default_factory=dict)


class Outcome(NamedTuple):
    """The result of an invocation: the response, or Lambda's error."""

    body: bytes
    error: str | None = None
    """Lambda's error type: Unhandled, Sandbox.Timedout, Runtime.ExitError or Runtime.OutOfMemory."""


class Execution:
    """A running environment of *function*; each line of its output goes to *log*."""

    def __init__(self, function: Function, log: Callable[[str], None]) -> None:
        self._function = function
        self._events: queue.Queue[tuple[str, bytes] | None] = queue.Queue()
        self._outcomes: queue.Queue[Outcome] = queue.Queue()
        self._ready = threading.Event()
        self._init_error: Outcome | None = None
        self._over_memory = False
        self._server = LoopbackServer(self)
        self._process = self._start()
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._watch, lambda: self._copy_output(log))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether it can handle another event."""
        return self._process.poll() is None and self._init_error is None

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Wait until the code is loaded, or has failed to load."""
        self._ready.wait(INIT_SECONDS)

    def outcome(self, request_id: str, event: bytes) -> Outcome:
        """Handle *event* and return the result; the environment may have ended afterwards."""
        self.wait_until_ready()
        if self._init_error:
            return self._init_error
        self._events.put((request_id, event))
        try:
            return self._outcomes.get(timeout=self._function.timeout)
        except queue.Empty:
            self.kill()
            message = f"{request_id} Task timed out after {self._function.timeout:.2f} seconds"
            return _failed("Sandbox.Timedout", message)

    def kill(self) -> None:
        """Kill the process."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """Kill the process and stop the runtime interface; the log is complete afterwards."""
        self.kill()
        self._events.put(None)
        self._server.close()
        for thread in self._threads:
            thread.join()

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Respond to one call of the runtime client."""
        del headers
        if target.endswith("/restore/next"):
            return HttpResponse(200)
        if method == "GET":
            return self._next_event()
        if target.endswith("/init/error"):
            self._init_error = Outcome(body, "Runtime.InitError")
            self._ready.set()
        else:
            self._outcomes.put(Outcome(body, "Unhandled" if target.endswith("/error") else None))
        return HttpResponse(202, [("Content-Type", "application/json")], b'{"status":"OK"}')

    def refuse(self, error: HttpSyntaxError) -> HttpResponse:
        """Respond to a malformed request."""
        return HttpResponse(400, [], error.detail.encode())

    def _next_event(self) -> HttpResponse:
        self._ready.set()
        queued = self._events.get()
        if queued is None:
            return HttpResponse(410)
        request_id, event = queued
        ends = int((time.time() + self._function.timeout) * 1000)
        name = self._function.name
        return HttpResponse(
            200,
            [
                ("Content-Type", "application/json"),
                ("Lambda-Runtime-Aws-Request-Id", request_id),
                ("Lambda-Runtime-Deadline-Ms", str(ends)),
                ("Lambda-Runtime-Invoked-Function-Arn", f"arn:aws:lambda:eu-west-1:123456789012:function:{name}"),
            ],
            event,
        )

    def _start(self) -> subprocess.Popen[bytes]:
        function = self._function
        variables = {
            "PATH": "/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": f"{function.task}:{function.runtime}",
            "LAMBDA_TASK_ROOT": str(function.task),
            "_HANDLER": function.handler,
            "AWS_LAMBDA_RUNTIME_API": self._server.url.removeprefix("http://"),
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        }
        return subprocess.Popen(
            # Without site, so the packages of the test environment are not visible.
            [sys.executable, "-S", "-m", "awslambdaric", function.handler],
            cwd=function.task,
            env=variables | dict(function.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _copy_output(self, log: Callable[[str], None]) -> None:
        assert self._process.stdout
        with self._process.stdout as lines:
            for line in lines:
                log(line.decode(errors="replace").rstrip("\n"))

    def _watch(self) -> None:
        """Kill the process when it exceeds its memory, and report how it ended."""
        while self._process.poll() is None:
            if resident(self._process.pid) > self._function.memory * MEGABYTE:
                self._over_memory = True
                self.kill()
            time.sleep(CHECK_SECONDS)
        kind = "Runtime.OutOfMemory" if self._over_memory else "Runtime.ExitError"
        error = _failed(kind, f"Error: Runtime exited with status {self._process.returncode}")
        if not self._ready.is_set():
            self._init_error = error
        self._ready.set()
        self._outcomes.put(error)


def resident(pid: int) -> int:
    """Return the resident memory of a process in bytes; 0 if it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def _failed(kind: str, message: str) -> Outcome:
    return Outcome(json.dumps({"errorType": kind, "errorMessage": message}).encode(), kind)
