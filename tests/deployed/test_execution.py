"""The execution environment, with minimal functions: results and failures as in Lambda."""

from __future__ import annotations

import json
import site
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.deployed.execution import Function
from tests.deployed.lambda_service import LambdaService, managed_runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

CODE = """
import os, sys, time
loaded = os.getpid()
def succeeds(event, context):
    print("text", event["text"])
    left = context.get_remaining_time_in_millis()
    return {"pid": loaded, "function": context.function_name, "hurry": left < 5000, "own": os.environ["OWN"]}
def fails(event, context):
    raise ValueError("no")
def exits(event, context):
    sys.exit(3)
def sleeps(event, context):
    time.sleep(60)
def allocates(event, context):
    held = bytearray(200_000_000)
    for place in range(0, len(held), 4096):
        held[place] = 1
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def lambdas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LambdaService]:
    """Start a service with the functions of CODE."""
    folder = tmp_path_factory.mktemp("lambda")
    runtime = managed_runtime(Path(site.getsitepackages()[0]), folder / "runtime")
    (folder / "task").mkdir()
    (folder / "task" / "own.py").write_text(CODE)
    (folder / "task" / "broken.py").write_text("import no_such_module\n")
    with LambdaService() as lambdas:
        for name in ("succeeds", "fails", "exits", "sleeps", "allocates"):
            timeout = 1.0 if name == "sleeps" else 4.0
            own = {"OWN": "1"}
            lambdas.deploy(Function(name, f"own.{name}", folder / "task", runtime, timeout, 128, own))
        lambdas.deploy(Function("broken", "broken.handle", folder / "task", runtime, 4.0, 128))
        yield lambdas


def invoke_success(lambdas: LambdaService, text: str = "x") -> dict[str, Any]:
    """Return the result of the function that succeeds."""
    outcome = lambdas.invoke("succeeds", {"text": text})
    assert outcome.error is None
    cold: dict[str, Any] = json.loads(outcome.body)
    return cold


def test_result_of_the_function(lambdas: LambdaService) -> None:
    """A function has its name, deadline, variables and log, and a warm process does not load it again."""
    cold, warm = invoke_success(lambdas, "this"), invoke_success(lambdas, "that")
    lambdas.forget()

    assert (cold["function"], cold["hurry"], cold["own"]) == ("succeeds", True, "1")
    assert lambdas.lines["succeeds"][-2:] == ["text this", "text that"]
    assert cold["pid"] == warm["pid"] != invoke_success(lambdas)["pid"]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("fails", "Unhandled"),
        ("exits", "Runtime.ExitError"),
        ("sleeps", "Sandbox.Timedout"),
        ("allocates", "Runtime.OutOfMemory"),
        ("broken", "Runtime.InitError"),
    ],
)
def test_failure(lambdas: LambdaService, name: str, error: str) -> None:
    """A failure has Lambda's error type, and the next event gets a working environment."""
    assert lambdas.invoke(name, {}).error == error
    assert lambdas.invoke(name, {}).error == error
    assert invoke_success(lambdas)["own"] == "1"
