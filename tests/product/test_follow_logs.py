"""Follow the log of a Job on the cluster: over attempts, in all formats, without loss and without repetition."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

import pytest

from infra.localcluster.simulated_log import LOG_VARIABLE, SIZE_VARIABLE, generated_lines
from infra.localcluster.simulation import SIMULATE_VARIABLE
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.support.api import Api

SIZE = 2_000_000
MAX_REQUESTS = 1000


@pytest.fixture
def job(api: Api) -> Iterator[str]:
    """Return a unique Job name, and delete the Job afterwards."""
    name = f"follow-{secrets.token_hex(3)}"
    yield name
    api.request("DELETE", f"/jobs/team-a/{name}")


def follow(api: Api, job: str, accept: str, limit: int = 1_000_000) -> list[httpx.Response]:
    """Follow the log of *job* until it is complete; return the responses."""
    responses: list[httpx.Response] = []
    cursor = "start"
    while len(responses) < MAX_REQUESTS:
        path = f"/jobs/team-a/{job}/logs?wait=5&limitBytes={limit}&cursor={cursor}"
        responses.append(api.request("GET", path, headers={"Accept": accept}).raise_for_status())
        cursor = responses[-1].headers["X-Next-Cursor"]
        if responses[-1].headers["X-Log-Complete"] == "true":
            return responses
    pytest.fail("The log was not complete.")


def generate(simulated: str, size: int, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return the fields of a Job whose pods print *size* bytes each and behave as *simulated*."""
    return {"environment": {SIMULATE_VARIABLE: simulated, LOG_VARIABLE: f"generated-{size}"}, **fields}


def test_attempts_follow_each_other(api: Api, job: str) -> None:
    """Megabytes of two attempts, with lines in the same instant and longer than a response, arrive byte by byte."""
    api.submit(name=job, **generate("exit-1", SIZE, backoffLimit=1)).raise_for_status()

    responses = follow(api, job, "application/octet-stream", 300_000)

    assert [response.headers.get("X-Log-Gap") for response in responses] == [None] * len(responses)
    assert max(len(response.content) for response in responses) <= 300_000
    pods = dict.fromkeys(response.headers["X-Pod-Name"] for response in responses if response.content)
    printed = "".join(f"{line}\n" for pod in pods for line in generated_lines(pod, SIZE)).encode()
    assert len(pods) == 2
    assert b"".join(response.content for response in responses) == printed


def test_text_and_lines(api: Api, job: str) -> None:
    """Text and NDJSON have the same lines; a record has the pod, the index and the time of its line."""
    api.submit(name=job, indexed=True, completions=1, **generate("", 60_000)).raise_for_status()

    text = "".join(response.text for response in follow(api, job, "text/plain", 5000))
    records = [
        json.loads(line)
        for response in follow(api, job, "application/x-ndjson", 5000)
        for line in response.text.splitlines()
    ]

    lines = "".join(record["line"] + ("" if record.get("partial") else "\n") for record in records)
    assert lines == text
    assert "\ufffd" not in text
    assert {(record["pod"].startswith(f"{job}-0-"), record["index"]) for record in records} == {(True, 0)}
    assert [record["time"] for record in records] == sorted(record["time"] for record in records)


def test_running_job(api: Api, job: str) -> None:
    """The response to a wait comes when there is something, and the next one when nothing has followed."""
    api.submit(name=job, environment={SIMULATE_VARIABLE: "run-forever", LOG_VARIABLE: "one\ntwo"}).raise_for_status()

    first = api.request("GET", f"/jobs/team-a/{job}/logs?wait=25")
    cursor = first.headers["X-Next-Cursor"]
    second = api.request("GET", f"/jobs/team-a/{job}/logs?wait=1&timestamps=true&cursor={cursor}")

    assert (first.text, first.headers["X-Log-Complete"]) == ("one\ntwo\n", "false")
    assert (second.text, second.headers["X-Next-Cursor"], second.status_code) == ("", cursor, 200)


def test_rotation(api: Api, job: str) -> None:
    """Lines that the kubelet rotated away between two requests are a marked gap; the next whole line follows."""
    environment = {SIMULATE_VARIABLE: "run-forever", LOG_VARIABLE: "growing-300000", SIZE_VARIABLE: "100000"}
    api.submit(name=job, environment=environment).raise_for_status()
    path = f"/jobs/team-a/{job}/logs?limitBytes=5500"
    first = api.request("GET", f"{path}&wait=25").raise_for_status()
    path += f"&cursor={first.headers['X-Next-Cursor']}"

    second = eventually(
        lambda: api.request("GET", path), lambda found: "X-Log-Gap" in found.headers and bool(found.text)
    )
    headers = {"Accept": "application/x-ndjson"}
    found = eventually(lambda: api.request("GET", path, headers=headers), lambda found: found.text.count("\n") > 6)
    records = found.text.splitlines()

    sent, following = ([int(line.split()[1]) for line in each.text.splitlines()] for each in (first, second))
    assert second.headers["X-Log-Gap"] == "rotated"
    # The first line of a file is left out: it may be the end of one that was sent.
    assert following == list(range(following[0], following[0] + len(following))) > sent
    assert following[0] % 100 == 1
    assert json.loads(records[0]) == {"gap": "rotated"}
    assert [json.loads(record)["line"][:5] for record in records[1:]] == ["line "] * (len(records) - 1)


@pytest.mark.parametrize("cursor", ["x", "bm8", "WzEsIi4uLy4uIiwwLDBd"])
def test_invalid_cursor(api: Api, job: str, cursor: str) -> None:
    """A cursor that this API did not issue is refused, or names no pod of the Job."""
    api.submit(name=job, environment={SIMULATE_VARIABLE: "run-forever"}).raise_for_status()

    response = api.request("GET", f"/jobs/team-a/{job}/logs?cursor={cursor}")

    assert response.status_code in {200, 400}
    assert response.status_code == 200 or response.json()["errors"][0]["pointer"] == "/cursor"
