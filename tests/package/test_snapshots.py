"""SnapStart: many functions start from one snapshot of the loaded code, so it must hold nothing that is unique."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.package.bundle_process import run_in_bundle
from tests.package.packaged_template import NAMES
from tests.support.api import Api
from tests.support.scripted_server import ScriptedServer, json_reply

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deployed.deployed import Deployed

FORK = """
import json, os, sys
import app
opened = []
for number in range(3, 256):
    try:
        opened.append(os.readlink(f"/proc/self/fd/{number}"))
    except FileNotFoundError:
        pass
cached = [module.__name__ for module in list(sys.modules.values()) if module.__name__.startswith("chalicelib.adapters.")
        and getattr(getattr(module, "connect", None), "cache_info", None) and module.connect.cache_info().currsize]
outputs = []
for _ in range(2):
    reader, writer = os.pipe()
    if os.fork() == 0:
        import uuid
        kube_api = sys.modules.get("chalicelib.adapters.kubernetes.api_client")
        values = [uuid.uuid4().hex, kube_api._JITTER.random() if kube_api else uuid.uuid4().hex]
        os.write(writer, json.dumps(values).encode())
        os._exit(0)
    os.wait()
    outputs.append(json.loads(os.read(reader, 1000)))
print(json.dumps([opened, cached, outputs]))
"""


class TestInit:
    """The state of a function before its first request, and so in its snapshot."""

    @pytest.mark.parametrize("name", NAMES)
    def test_has_no_unique_state(self, unzipped: Path, name: str) -> None:
        """There is no connection, credential or token, and random values differ in each process."""
        opened, cached, (first, second) = json.loads(run_in_bundle(unzipped, FORK, ENDPOINT=name))

        assert [path for path in opened if path.startswith("socket:")] == []
        assert cached == []
        assert set(first).isdisjoint(second)


class TestRestore:
    """A function that starts from its snapshot."""

    def test_requests_its_credentials(self, deployed: Deployed[Any]) -> None:
        """After a restore, the credentials come from Lambda's endpoint, not from the environment."""
        function = deployed.lambdas.functions["ListJobs"]
        variables = dict(function.environment)
        parts = {
            "AccessKeyId": variables.pop("AWS_ACCESS_KEY_ID"),
            "SecretAccessKey": variables.pop("AWS_SECRET_ACCESS_KEY"),
            "Token": variables.pop("AWS_SESSION_TOKEN"),
            "Expiration": "2099-01-01T00:00:00Z",
        }
        with ScriptedServer() as credentials, Api(deployed) as api:
            credentials.on("/credentials", json_reply(parts))
            variables |= {
                "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{credentials.url}/credentials",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": "pass",
            }
            deployed.lambdas.deploy(dataclasses.replace(function, environment=variables))

            response = api.request("GET", "/jobs/team-a")

        assert response.status_code == 200
        assert len(credentials.requests) == 1
