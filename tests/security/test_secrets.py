"""Secrets in all inputs, and a search for them in all outputs."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.adapters.aws import eks_tokens
from chalicelib.adapters.kubernetes import cluster as cluster_adapter
from chalicelib.adapters.kubernetes.cluster import Cluster
from chalicelib.adapters.oidc import bearer_tokens
from chalicelib.settings import settings
from infra.local.local_stack import Stack
from tests.security.hostile_tokens import bearer
from tests.security.scripted_faults import ALWAYS, ScriptedCluster
from tests.security.sending import send_raw
from tests.security.test_outages import sts_error
from tests.support.eventually import eventually
from tests.support.scripted_server import FAR_DEADLINE, ScriptedServer
from tests.support.secrets import CANARY, checked, leaks, watch
from tests.support.uploads import Uploads, handle_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.local.wire import HttpResponse
    from infra.localcluster.cluster import EmbeddedCluster
    from tests.cluster.real_cluster import RealCluster
    from tests.support.scheduled_functions import Scheduled

    AnyCluster = EmbeddedCluster | RealCluster
    SecretiveStack = Stack[ScriptedCluster[AnyCluster]]

pytestmark = pytest.mark.attack("secrets")

JOB = {
    "project": "team-a",
    "image": "busybox",
    "command": ["train", f"--key={CANARY}"],
    "arguments": [CANARY],
    "environment": {"PASSWORD": CANARY},
    "workingDir": f"/{CANARY}",
}
INVALID: dict[str, dict[str, object]] = {
    "command": {"command": f"a '{CANARY}"},
    "arguments": {"arguments": [CANARY, None]},
    "variable": {"environment": {"A": [CANARY]}},
    "variable too long": {"environment": {"A": CANARY * 1000}},
    "reference": {"environment": {"A": {"secret": {"name": CANARY + "!", "key": CANARY}}}},
    "number": {"gpu": CANARY},
    "image": {"image": f"https://user:{CANARY}@registry/x"},
    "choice": {"type": CANARY},
    "path": {"workingDir": CANARY},
    "volume": {"pvc": [{"path": "/a", "name": CANARY + "!"}]},
    "memory": {"memory": CANARY},
    "unsupported": {"gitSync": {"password": CANARY}},
    "label": {"labels": {"a": CANARY + "!"}},
    "annotation": {"annotations": {"a": CANARY + "\x00"}},
    "duration": {"ttlAfterFinish": CANARY},
}


@pytest.fixture(scope="module")
def stack(make_cluster: Callable[..., AnyCluster]) -> Iterator[SecretiveStack]:
    """Start the local cloud, with canaries as its AWS credentials."""
    environment = {"AWS_SECRET_ACCESS_KEY": CANARY + "-key", "AWS_SESSION_TOKEN": CANARY + "-session"}
    with Stack(lambda review: ScriptedCluster(make_cluster(review, run_seconds=0.1)), environment=environment) as stack:
        watch("the role's external id", os.environ["CLUSTER_EXTERNAL_ID"])
        for application in stack.applications.values():
            watch("an application's secret", application.secret)
        yield stack


@pytest.fixture(autouse=True)
def _search_output(stack: SecretiveStack, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Check that the output of a test, with the logs and metrics of the functions, holds no secret."""
    clear_caches()
    stack.cluster.proxy.inject("", 0)
    yield
    captured = capfd.readouterr()
    assert '"event":"request"' in captured.out
    checked(captured.out + captured.err)


def clear_caches() -> None:
    """Clear the caches of the process."""
    for cached in (settings, eks_tokens.connect, cluster_adapter.connect, bearer_tokens.connect):
        cached.cache_clear()


def submit(stack: SecretiveStack, **changes: object) -> HttpResponse:
    """Submit a Job full of secrets, and return the response."""
    headers = bearer(stack.issuer.mint("alice"))
    return send_raw(stack, "POST", "/jobs", headers, {"job": {**JOB, **changes}})


def test_canaries_are_found() -> None:
    """The search finds canaries and tokens."""
    token = eks_tokens.connect(settings()).token(FAR_DEADLINE)

    assert leaks(f"value {CANARY} ") == ["a canary"]
    assert "an EKS token" in leaks(token)
    print('{"event":"request"}')  # noqa: T201 - the fixture looks for it


def test_created_job(stack: SecretiveStack) -> None:
    """No function returns the variables or arguments of a Job."""
    created = submit(stack, name="secretive")
    headers = bearer(stack.issuer.mint("alice"))
    watch("a bearer token", headers[0][1])
    watch("the cluster's token", eks_tokens.connect(settings()).token(FAR_DEADLINE))
    paths = ["/jobs/team-a/secretive", "/jobs/team-a", "/projects", "/health?deep=true", "/openapi.json"]
    responses = [send_raw(stack, "GET", path, headers) for path in paths]
    responses.append(send_raw(stack, "DELETE", paths[0], headers))

    assert created.status == 201
    for response in (created, *responses):
        assert response.status in (200, 201)
        checked(f"{response.headers} {response.body.decode()}")


@pytest.mark.parametrize("changes", INVALID.values(), ids=INVALID)
def test_invalid_field(stack: SecretiveStack, changes: dict[str, object]) -> None:
    """An error names the invalid field and does not repeat its value."""
    response = submit(stack, **changes)

    assert response.status == 422
    checked(response.body.decode())


def test_name_taken(stack: SecretiveStack) -> None:
    """A conflict does not disclose the fields of the other Job."""
    submit(stack, name="taken")

    response = submit(stack, name="taken", environment={"PASSWORD": CANARY + "-new"})

    assert response.status == 409
    checked(response.body.decode())


@pytest.mark.parametrize(
    "authorization", ["Bearer " + CANARY, "Basic " + CANARY, CANARY, f"Bearer eyJhbGciOiJSUzI1NiJ9.{CANARY}.{CANARY}"]
)
def test_invalid_token(stack: SecretiveStack, authorization: str) -> None:
    """An invalid token is neither returned nor logged, even in part."""
    response = send_raw(stack, "GET", "/projects", [("Authorization", authorization), ("Cookie", CANARY)])

    assert response.status == 401
    checked(response.body.decode())


@pytest.mark.parametrize("fault", ["429", "500", "reset", "truncated", "401", "307"])
def test_failing_cluster(stack: SecretiveStack, fault: str) -> None:
    """An error of the cluster discloses neither the token nor the request."""
    eks_tokens.connect(settings()).token(FAR_DEADLINE)
    stack.cluster.proxy.inject(fault, ALWAYS)

    response = submit(stack)

    assert response.status == 503
    checked(response.body.decode())


def test_failing_sts(stack: SecretiveStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of STS, which may name the role, the account and the key, is not disclosed."""
    with ScriptedServer() as sts:
        sts.on("/", sts_error(CANARY, 403))
        monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
        response = submit(stack)

    assert response.status == 503
    checked(response.body.decode())


@pytest.mark.parametrize("error", [RuntimeError, KeyError, UnicodeError, OSError, RecursionError])
def test_internal_error(stack: SecretiveStack, monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    """The message of an unexpected error and of its cause is not disclosed."""

    def fail(*_: Any) -> None:  # noqa: ANN401 - any arguments
        raise error(CANARY) from ValueError(CANARY)

    monkeypatch.setattr(Cluster, "send_as", fail)

    response = submit(stack)

    assert response.status == 500
    checked(response.body.decode())


def test_stored_documents(stack: SecretiveStack, scheduled: Scheduled) -> None:
    """Upload statuses, events and Receipts hold no secret.

    A Receipt masks variables, command and arguments. It has paths, which must not hold secrets, and the end of the log:
    the output of the program itself, which is its command in these tests.
    """
    uploads = Uploads(stack)
    documents = {"good": {**JOB, "workingDir": "/data", "name": "stored", "ttlAfterFinish": 1}}
    documents |= {name: {**JOB, **changes} for name, changes in INVALID.items()}
    records = [
        uploads.put(f"submit/team-a/{name}.json", json.dumps(fields).encode()) for name, fields in documents.items()
    ]
    handle_records(*records, uploads.put("submit/team-a/cut.yaml", f"command: [{CANARY}".encode()))
    events = eventually(lambda: scheduled.announce() and scheduled.receive_events("stored"), bool)
    eventually(scheduled.clean_up, lambda report: report["deleted"] > 0)

    statuses, receipts = uploads.read_all("status/"), uploads.read_all("receipts/")

    assert len(statuses) == len(documents) + 1
    logs = {receipt["name"]: receipt.pop("log") for receipt in receipts.values()}
    assert logs["stored"]
    checked(json.dumps([events, statuses, receipts]))
