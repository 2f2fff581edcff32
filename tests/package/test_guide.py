"""The deployment guide from an empty account to the first Job: its commands in one shell, with the real AWS CLI.

The account is a model on loopback. The API behind it is the local cloud, and kubectl only records what it is given.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from chalicelib.configuration import decode
from infra.local.local_stack import Stack
from infra.localcluster.certificates import server_identity
from infra.packaging.stage_configuration import packaged as packaged_configuration
from infra.packaging.template import BUNDLE, TEMPLATE
from tests.account.account import Account
from tests.package.packaged_template import transform
from tests.support.documentation import PAGES, ROOT, clone_into, fences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.account.stacks import DeployedStack
    from tests.package.packaged_template import Json

PAGE = "docs/operate/deploy.md"
BLOCKS = [block for block in fences("console") if "DEPLOY_OPTIONS" not in block.text]
GUIDE = [block.text for block in BLOCKS if block.page == PAGE]
ROLLBACK = [block.text for block in BLOCKS if "worktree" in block.text]
CLUSTER: dict[str, Any] = {
    "name": "gpu-east",
    "endpoint": "https://0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com",
    "certificateAuthority": {"data": base64.b64encode(server_identity().ca_pem.encode()).decode()},
    "accessConfig": {"authenticationMode": "CONFIG_MAP"},
}
DOUBLES = """
make() { command make --old-file=package "$@"; }
git() { cp -r . ../researcher-previous && cp -r previous/. ../researcher-previous/build/dev; }
"""
"""Both packages are there already, and the worktree is a copy."""
KUBECTL = """#!/bin/sh
case "$*" in
"apply --kustomize infra/kubernetes/base") cat infra/kubernetes/base/kustomization.yaml >/dev/null ;;
"apply --filename -") cat >> .local/applied.yaml ;;
*) exit 2 ;;
esac
"""


@pytest.fixture
def account(make_cluster: Callable[..., Any]) -> Iterator[Account]:
    """Start an account that has only a cluster, and the API that its stack will stand for."""
    with Stack(make_cluster) as local:

        def outputs(stack: DeployedStack) -> dict[str, str]:
            own = {"UserPoolId": "eu-west-1_Example1", "TokenUrl": local.issuer.token_url, "BaseUrl": local.base_url}
            return own if "UserPool" in stack.template["Resources"] else {}

        account = Account(CLUSTER, outputs, buckets=())
        account.applications = local.applications
        account.start()
        yield account
        account.close()


def walk(folder: Path, account: Account, packaged: Json) -> str:
    """Paste the commands of the guide, and those to go back, into one shell in a clone; return what they print."""
    clone_into(folder)
    programs = folder / "programs"
    programs.mkdir()
    (programs / "kubectl").write_text(KUBECTL)
    (programs / "kubectl").chmod(0o755)
    previous = packaged | {"Description": "the previous release"}
    for package, template in ((folder / "build" / "dev", packaged), (folder / "previous", previous)):
        package.mkdir(parents=True)
        (package / TEMPLATE).write_text(json.dumps(template))
        (package / BUNDLE).write_bytes(b"PK\x05\x06" + bytes(18))
    environment = {
        "PATH": f"{programs}:{ROOT / '.venv/bin'}:{os.environ['PATH']}",
        "HOME": str(folder),
    }
    ran = subprocess.run(
        ["bash", "-euo", "pipefail"],
        input="\n".join([DOUBLES, *GUIDE, *ROLLBACK]),
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        env=environment | account.environment(),
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_guide_leads_from_an_empty_account_to_a_job(account: Account, tmp_path: Path, packaged: Json) -> None:
    """No step needs a value that an earlier one has not printed, and each is run as it is written.

    Then the previous release is deployed again: all functions get a version of it, with the same parameters.
    """
    clone = tmp_path / "clone"
    clone.mkdir()
    printed = walk(clone, account, packaged)

    (start,) = re.finditer(r'^\{"id":', printed, re.MULTILINE)
    job, _ = json.JSONDecoder().raw_decode(printed, start.start())
    assert (job["project"], job["name"]) == ("team-a", "first")
    stack = account.stacks.by_name["researcher-dev"]
    parameters = stack.parameters
    live = {each["Environment"]["Variables"]["RELEASE"] for each in stack.versions.aliases.values()}
    assert (stack.status, stack.template["Description"]) == ("UPDATE_COMPLETE", "the previous release")
    first, second = (sent for sent in account.cloudformation.sent if "Release" in sent)
    assert live == {second["Release"]} != {first["Release"]}
    assert first | {"Release": None} == second | {"Release": None}
    access = account.stacks.by_name["researcher-access"].parameters
    assert parameters["ClusterExternalId"] == access["ExternalId"]
    assert parameters["ClusterRoleArn"] == account.stacks.by_name["researcher-access"].outputs["RoleArn"]
    assert parameters["ClusterEndpoint"] == CLUSTER["endpoint"]
    assert access["ApiStack"] == "researcher-dev"
    configured = decode(packaged_configuration(clone / ".local" / "dev.json"))
    assert configured.cluster_authorities == (CLUSTER["certificateAuthority"]["data"],)
    applied = [each["kind"] for each in yaml.safe_load_all((clone / ".local" / "applied.yaml").read_text()) if each]
    assert {"Namespace", "RoleBinding", "ResourceQuota"} <= {*applied}


def test_commands_have_no_values_of_an_account() -> None:
    """Names are chosen by the reader; ARNs, account numbers, IDs and URLs are results of commands."""
    assert [
        found for text in GUIDE for found in re.findall(r"arn:aws\S*|\b\d{12}\b|https://\S+|\S+EXAMPLE", text)
    ] == []


def test_rights_of_the_deployer_are_listed(packaged: Json) -> None:
    """Each service of a resource in the transformed template is a row of the table."""
    listed = set(re.findall(r"^\| `([a-z0-9-]+)` \|", PAGES[PAGE], re.MULTILINE))
    own = {"Cognito": "cognito-idp", "ApiGateway": "apigateway"}
    resources = transform(packaged)["Resources"].values()
    used = {own.get(name, name.lower()) for name in (each["Type"].split("::")[1] for each in resources)}

    assert listed == used | {"cloudformation"}
