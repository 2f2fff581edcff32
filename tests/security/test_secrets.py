"""Secrets in everything that goes in, and a search for them in everything that comes out."""

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
from tests.security.scripted_faults import FOR_EVER, ScriptedCluster
from tests.security.sending import sent
from tests.security.test_outages import sts_refusal
from tests.support.eventually import eventually
from tests.support.scripted_server import FAR_DEADLINE, ScriptedServer
from tests.support.secrets import CANARY, checked, leaks, watch
from tests.support.uploads import Uploads, handled

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
REFUSED: dict[str, dict[str, object]] = {
    "command": {"command": f"a '{CANARY}"},
    "arguments": {"arguments": [CANARY, 5]},
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
    """The local cloud, with canaries for its AWS credentials."""
    environment = {"AWS_SECRET_ACCESS_KEY": CANARY + "-key", "AWS_SESSION_TOKEN": CANARY + "-session"}
    with Stack(lambda review: ScriptedCluster(make_cluster(review, run_seconds=0.1)), environment=environment) as stack:
        watch("the role's external id", os.environ["CLUSTER_EXTERNAL_ID"])
        for application in stack.applications.values():
            watch("an application's secret", application.secret)
        yield stack


@pytest.fixture(autouse=True)
def searched(stack: SecretiveStack, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Whatever a test prints, and the logs and metrics of the functions with it, holds no secret."""
    forget()
    stack.cluster.proxy.meet("", 0)
    yield
    captured = capfd.readouterr()
    assert '"event":"request"' in captured.out
    checked(captured.out + captured.err)


def forget() -> None:
    """What a new process does not know."""
    for cached in (settings, eks_tokens.connect, cluster_adapter.connect, bearer_tokens.connect):
        cached.cache_clear()


def asked(stack: SecretiveStack, **changes: object) -> HttpResponse:
    """The answer to a submission full of secrets."""
    headers = bearer(stack.issuer.mint("alice"))
    return sent(stack, "POST", "/jobs", headers, {"job": {**JOB, **changes}})


def test_canaries_are_found() -> None:
    """By the search that all of this relies on."""
    token = eks_tokens.connect(settings()).token(FAR_DEADLINE)

    assert leaks(f"value {CANARY} ") == ["a canary"]
    assert "an EKS token" in leaks(token)
    print('{"event":"request"}')  # noqa: T201 - what the fixture looks for


def test_job_that_is_made(stack: SecretiveStack) -> None:
    """Shows neither its variables nor its arguments, by whichever function it is looked at."""
    made = asked(stack, name="secretive")
    headers = bearer(stack.issuer.mint("alice"))
    watch("a bearer token", headers[0][1])
    watch("the cluster's token", eks_tokens.connect(settings()).token(FAR_DEADLINE))
    paths = ["/jobs/team-a/secretive", "/jobs/team-a", "/projects", "/health?deep=true", "/openapi.json"]
    shown = [sent(stack, "GET", path, headers) for path in paths]
    shown.append(sent(stack, "DELETE", paths[0], headers))

    assert made.status == 201
    for reply in (made, *shown):
        assert reply.status in (200, 201)
        checked(f"{reply.headers} {reply.body.decode()}")


@pytest.mark.parametrize("changes", REFUSED.values(), ids=REFUSED)
def test_refused_field(stack: SecretiveStack, changes: dict[str, object]) -> None:
    """Is named, and what stood in it is not repeated."""
    reply = asked(stack, **changes)

    assert reply.status == 422
    checked(reply.body.decode())


def test_name_that_is_taken(stack: SecretiveStack) -> None:
    """What the other Job holds is not told."""
    asked(stack, name="taken")

    reply = asked(stack, name="taken", environment={"PASSWORD": CANARY + "-new"})

    assert reply.status == 409
    checked(reply.body.decode())


@pytest.mark.parametrize(
    "authorization", ["Bearer " + CANARY, "Basic " + CANARY, CANARY, f"Bearer eyJhbGciOiJSUzI1NiJ9.{CANARY}.{CANARY}"]
)
def test_refused_token(stack: SecretiveStack, authorization: str) -> None:
    """Is neither answered nor logged, however little of a token it is."""
    reply = sent(stack, "GET", "/projects", [("Authorization", authorization), ("Cookie", CANARY)])

    assert reply.status == 401
    checked(reply.body.decode())


@pytest.mark.parametrize("fault", ["429", "500", "reset", "truncated", "401", "307"])
def test_failing_cluster(stack: SecretiveStack, fault: str) -> None:
    """Its token and what was sent to it stay here."""
    eks_tokens.connect(settings()).token(FAR_DEADLINE)
    stack.cluster.proxy.meet(fault, FOR_EVER)

    reply = asked(stack)

    assert reply.status == 503
    checked(reply.body.decode())


def test_failing_sts(stack: SecretiveStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it says may name the role, the account and the key."""
    with ScriptedServer() as sts:
        sts.on("/", sts_refusal(CANARY, 403))
        monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
        reply = asked(stack)

    assert reply.status == 503
    checked(reply.body.decode())


@pytest.mark.parametrize("error", [RuntimeError, KeyError, UnicodeError, OSError, RecursionError])
def test_unforeseen_error(stack: SecretiveStack, monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    """May have anything in its text, and in that of its cause."""

    def fail(*_: Any) -> None:  # noqa: ANN401 - whatever it is called with
        raise error(CANARY) from ValueError(CANARY)

    monkeypatch.setattr(Cluster, "send_as", fail)

    reply = asked(stack)

    assert reply.status == 500
    checked(reply.body.decode())


def test_what_is_kept_of_a_job(stack: SecretiveStack, scheduled: Scheduled) -> None:
    """Statuses of uploads, the announcement of the Job that came of one, and its Receipt, when it is cleaned up.

    A Receipt masks variables, command and arguments. It shows paths, which are no place for a secret, and the end of
    the log: what the program itself printed, as pods here print their command.
    """
    uploads = Uploads(stack)
    documents = {"good": {**JOB, "workingDir": "/data", "name": "kept", "ttlAfterFinish": 1}}
    documents |= {name: {**JOB, **changes} for name, changes in REFUSED.items()}
    records = [uploads.put(f"submit/team-a/{name}.json", json.dumps(one).encode()) for name, one in documents.items()]
    handled(*records, uploads.put("submit/team-a/cut.yaml", f"command: [{CANARY}".encode()))
    told = eventually(lambda: scheduled.announce() and scheduled.heard("kept"), bool)
    eventually(scheduled.clean_up, lambda report: report["deleted"] > 0)

    statuses, receipts = uploads.kept("status/"), uploads.kept("receipts/")

    assert len(statuses) == len(documents) + 1
    logs = {receipt["name"]: receipt.pop("log") for receipt in receipts.values()}
    assert logs["kept"]
    checked(json.dumps([told, statuses, receipts]))
