"""Malformed bodies: each is a client error, and is rejected with little CPU time."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.domain.errors import CATALOGUE
from chalicelib.runtime.http import MAX_BODY
from tests.security.hostile_tokens import bearer
from tests.security.sending import problem, send_raw

if TYPE_CHECKING:
    from infra.local.local_stack import Stack
    from tests.support.attack_recorder import Counter

pytestmark = pytest.mark.attack("bodies")

MAX_SECONDS = 0.25
"""The most CPU seconds, with a margin for slow machines; the table has the measured value."""
ATTEMPTS = 3
"""Each body is sent several times and the fastest counts, because the first request loads modules."""


def job(**fields: object) -> bytes:
    """Return a Job with *fields* as JSON."""
    return json.dumps({"job": {"project": "team-a", "image": "x", **fields}}).encode()


def deep(piece: bytes, end: bytes = b"") -> bytes:
    """Return *piece* nested as deep as the size limit of a body allows."""
    times = MAX_BODY // (len(piece) + len(end))
    return piece * times + end * times


def repeated(piece: str, count: int) -> list[str]:
    """Return a list of strings."""
    return [piece] * count


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "white space": b" \n",
    "null": b"null",
    "true": b"true",
    "number": b"1",
    "text": b'"job"',
    "list": b"[]",
    "empty object": b"{}",
    "no job": b'{"job": null}',
    "job is a list": b'{"job": []}',
    "two objects": b"{}{}",
    "cut off": job()[:-3],
    "trailing comma": b'{"job": {},}',
    "comment": b'{"job": {}} // x',
    "single quotes": b"{'job': {}}",
    "byte order mark": b"\xef\xbb\xbf" + job(),
    "UTF-16": job().decode().encode("utf-16"),
    "not UTF-8": job()[:-2] + b"\xff}}",
    "overlong UTF-8": b'{"job": "\xc0\xaf"}',
    "NUL": b"\x00" * 100,
    "NUL in a text": b'{"job": {"project": "a\x00"}}',
    "escaped NUL": job(name="a\x00"),
    "lone surrogate": b'{"job": {"project": "\\ud800", "image": "x"}}',
    "NaN": b'{"job": {"project": "team-a", "image": "x", "cpu": NaN}}',
    "infinity": b'{"cpu": -Infinity}',
    "1e999": b'{"job": {"project": "team-a", "image": "x", "cpu": 1e999}}',
    "huge exponent": b'{"gpu": 1e308}',
    "duplicate name": b'{"project": "team-a", "project": "team-b", "image": "x"}',
    "deep list": deep(b"[", b"]"),
    "deep list, open": deep(b"["),
    "deep object": deep(b'{"a":'),
    "deep job": b'{"job":' * 9000,
    "64 KiB and 1 byte": b" " * (MAX_BODY + 1),
    "1 MiB": job(command="x" * 2**20),
    "many digits": b'{"gpu": ' + b"9" * 60_000 + b"}",
    "many digits behind the point": b'{"cpu": 0.' + b"9" * 60_000 + b"}",
    "number as a text": job(gpu="1"),
    "boolean as a number": job(gpu=True),
    "fraction of a GPU": job(gpu=0.5),
    "negative GPUs": job(gpu=-1),
    "unknown fields": job(**{f"f{number}": 1 for number in range(5000)}),
    "raw pod": job(spec={"hostNetwork": True}),
    "privileged": job(securityContext={"privileged": True}),
    "host network": job(hostNetwork=True),
    "unclosed quotes": job(command='"' * 8191),
    "backslashes": job(command="\\" * 8191),
    "many words": job(command="a " * 4000),
    "many arguments": job(arguments=repeated("a", 10_000)),
    "many variables": job(environment={f"V{n}": "" for n in range(4000)}),
    "variable with a newline": job(environment={"A\nB": ""}),
    "variables as a list": job(environment=[["A", "b"]]),
    "secret with another field": job(environment={"A": {"secret": {"name": "s", "key": "k", "optional": True}}}),
    "labels of Kubernetes": job(labels={"app.kubernetes.io/managed-by": "me"}),
    "label key of 60 KB": job(labels={"a" * 60_000: ""}),
    "name that backtracks": job(name="a-" * 25_000 + "!"),
    "image that backtracks": job(image="a/" * 30_000 + " "),
    "claim that backtracks": job(pvc=[{"path": "/a", "name": "a." * 25_000 + "!"}]),
    "label key that backtracks": job(labels={"a." * 150 + "/": ""}),
    "many volumes": job(pvc=[{"path": "/a", "name": "a"}] * 900),
    "prefix and name": job(name="a", jobNamePrefix="b"),
    "YAML bomb": b"a: &a [x,x]\nb: &b [*a,*a]\n",
    "XML": b"<job/>",
    "form": b"project=team-a&image=x",
    "multipart": b"--x\r\nContent-Disposition: form-data\r\n\r\n--x--",
    "gzip": b"\x1f\x8b\x08\0",
    "prototype": job(__proto__={"gpu": 1}),
    "pickle": b"\x80\x04\x95",
    "RTL project": job(project="\u202eteam-a"),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_malformed_body(stack: Stack[Any], counter: Counter, body: bytes) -> None:
    """A malformed body is a client error of the catalogue, needs little CPU time, and creates nothing."""
    headers = bearer(stack.issuer.mint("alice"))
    spent = []

    for _ in range(ATTEMPTS):
        before = time.process_time()
        response = send_raw(stack, "POST", "/jobs", headers, body)
        spent.append(time.process_time() - before)

    document = problem(response)
    counter.measure("CPU ms", round(min(spent) * 1000, 1))
    assert 400 <= response.status < 500
    assert CATALOGUE[document["code"]].status == response.status == document["status"]
    assert min(spent) < MAX_SECONDS
    assert len(response.body) < 16_384


@pytest.mark.parametrize(
    "body", [b"{}", b"[1]", b'[{"name": "a"}]', b'[{"project": "team-a", "name": ".."}]', deep(b"[", b"]")]
)
def test_malformed_list_of_jobs_deletes_nothing(stack: Stack[Any], body: bytes) -> None:
    """A malformed list deletes nothing, not even the Jobs of its valid items."""
    assert send_raw(stack, "DELETE", "/jobs", bearer(stack.issuer.mint("alice")), body).status in (400, 422)
