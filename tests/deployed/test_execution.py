"""The execution environment, with functions of a few lines: what Lambda does with an event, and with failures."""

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
def answers(event, context):
    print("told", event["text"])
    left = context.get_remaining_time_in_millis()
    return {"pid": loaded, "function": context.function_name, "hurry": left < 5000, "own": os.environ["OWN"]}
def fails(event, context):
    raise ValueError("no")
def exits(event, context):
    sys.exit(3)
def sleeps(event, context):
    time.sleep(60)
def swells(event, context):
    held = bytearray(200_000_000)
    for place in range(0, len(held), 4096):
        held[place] = 1
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def lambdas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LambdaService]:
    """A service with these functions."""
    folder = tmp_path_factory.mktemp("lambda")
    runtime = managed_runtime(Path(site.getsitepackages()[0]), folder / "runtime")
    (folder / "task").mkdir()
    (folder / "task" / "own.py").write_text(CODE)
    (folder / "task" / "broken.py").write_text("import no_such_module\n")
    with LambdaService() as lambdas:
        for name in ("answers", "fails", "exits", "sleeps", "swells"):
            timeout = 1.0 if name == "sleeps" else 4.0
            own = {"OWN": "1"}
            lambdas.deploy(Function(name, f"own.{name}", folder / "task", runtime, timeout, 128, own))
        lambdas.deploy(Function("broken", "broken.handle", folder / "task", runtime, 4.0, 128))
        yield lambdas


def answer(lambdas: LambdaService, text: str = "x") -> dict[str, Any]:
    """What the function that works says."""
    outcome = lambdas.invoke("answers", {"text": text})
    assert outcome.error is None
    found: dict[str, Any] = json.loads(outcome.body)
    return found


def test_answer_is_that_of_the_function(lambdas: LambdaService) -> None:
    """It knows its name, its time and its variables; what it prints is its log; a warm process loads no code again."""
    found, warm = answer(lambdas, "this"), answer(lambdas, "that")
    lambdas.forget()

    assert (found["function"], found["hurry"], found["own"]) == ("answers", True, "1")
    assert lambdas.lines["answers"][-2:] == ["told this", "told that"]
    assert found["pid"] == warm["pid"] != answer(lambdas)["pid"]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("fails", "Unhandled"),
        ("exits", "Runtime.ExitError"),
        ("sleeps", "Sandbox.Timedout"),
        ("swells", "Runtime.OutOfMemory"),
        ("broken", "Runtime.InitError"),
    ],
)
def test_failure_is_told(lambdas: LambdaService, name: str, error: str) -> None:
    """In Lambda's word, and the next event meets an environment that works."""
    assert lambdas.invoke(name, {}).error == error
    assert lambdas.invoke(name, {}).error == error
    assert answer(lambdas)["own"] == "1"
