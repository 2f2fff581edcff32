"""SnapStart: a function's loaded code is a snapshot from which many start, so nothing in it may be meant for one."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.package.bare import printed_by
from tests.package.reading import NAMES
from tests.support.api import Api
from tests.support.scripted_server import ScriptedServer, json_reply

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deployed.deployed import Deployed

FORKED = """
import json, os, sys
import app
opened = []
for number in range(3, 256):
    try:
        opened.append(os.readlink(f"/proc/self/fd/{number}"))
    except FileNotFoundError:
        pass
kept = [module.__name__ for module in list(sys.modules.values()) if module.__name__.startswith("chalicelib.adapters.")
        and getattr(getattr(module, "connect", None), "cache_info", None) and module.connect.cache_info().currsize]
told = []
for _ in range(2):
    mine, theirs = os.pipe()
    if os.fork() == 0:
        import uuid
        kube_api = sys.modules.get("chalicelib.adapters.kubernetes.api_client")
        drawn = [uuid.uuid4().hex, kube_api._JITTER.random() if kube_api else uuid.uuid4().hex]
        os.write(theirs, json.dumps(drawn).encode())
        os._exit(0)
    os.wait()
    told.append(json.loads(os.read(mine, 1000)))
print(json.dumps([opened, kept, told]))
"""


class TestInit:
    """What a function holds before its first request, and so in its snapshot."""

    @pytest.mark.parametrize("name", NAMES)
    def test_has_nothing_that_two_must_not_share(self, unzipped: Path, name: str) -> None:
        """No connection, no credentials, no token; what is drawn by chance is drawn anew in each."""
        opened, kept, (one, other) = json.loads(printed_by(unzipped, FORKED, ENDPOINT=name))

        assert [path for path in opened if path.startswith("socket:")] == []
        assert kept == []
        assert set(one).isdisjoint(other)


class TestRestored:
    """A function that started from its snapshot."""

    def test_asks_lambda_for_its_credentials(self, deployed: Deployed[Any]) -> None:
        """They are not in its environment then, and the runtime client is told of the restore before any event."""
        function = deployed.lambdas.functions["ListJobs"]
        own = dict(function.environment)
        parts = {
            "AccessKeyId": own.pop("AWS_ACCESS_KEY_ID"),
            "SecretAccessKey": own.pop("AWS_SECRET_ACCESS_KEY"),
            "Token": own.pop("AWS_SESSION_TOKEN"),
            "Expiration": "2099-01-01T00:00:00Z",
        }
        with ScriptedServer() as credentials, Api(deployed) as api:
            credentials.on("/credentials", json_reply(parts))
            own |= {
                "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{credentials.url}/credentials",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": "pass",
            }
            deployed.lambdas.deploy(dataclasses.replace(function, environment=own))

            answer = api.ask("GET", "/jobs/team-a")

        assert answer.status_code == 200
        assert len(credentials.asked) == 1
