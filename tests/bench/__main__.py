"""`make bench [ONLY=cold_start]`: measures, prints a table, and writes build/bench.json."""

from __future__ import annotations

import argparse
import json
import platform
import site
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import boto3
from moto.eks.models import eks_backends

from infra.local.aws import REGION
from infra.local.aws_requests import ACCOUNT
from infra.local.kubernetes.cluster import EmbeddedCluster
from infra.package import template
from tests.api import IMAGE, Api
from tests.bench import artefacts, cold_start
from tests.bench.figures import Comparison, Figure, as_json, table
from tests.deployed.deployed import Deployed
from tests.deployed.lambda_service import managed_runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.figures import Result
    from tests.deployed.execution import Function

OUT = Path("build/bench.json")
LISTED = 10


def main() -> int:
    """Measures everything, or only what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=["cold_start", "size"], help="one of the measurements")
    only = parser.parse_args().only
    with TemporaryDirectory(prefix="bench-") as folder:
        found = list(_measured(Path(folder), only))
    told = f"Python {platform.python_version()} on {platform.machine()}, {_processor()}"
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"machine": told, "results": as_json(found)}, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(f"{table(found)}\n\n{told}; medians, least and most of {found[0].ours.rounds} rounds in turns.\n")
    return 0


def _measured(folder: Path, only: str | None) -> Iterator[Result]:
    tasks = {
        "ours": artefacts.ours(folder / "ours"),
        "same": artefacts.ours_as_chalice_packages(folder / "same"),
        "sources": artefacts.naive(folder / "sources"),
        "floor": artefacts.floor(folder / "floor"),
    }
    tasks["bytecode"] = artefacts.with_bytecode(tasks["sources"], folder / "bytecode")
    if only in {None, "cold_start"}:
        yield from _cold_starts(tasks, managed_runtime(Path(site.getsitepackages()[0]), folder / "runtime"))
    if only in {None, "size"}:
        yield from _sizes(tasks)


def _cold_starts(tasks: dict[str, Path], runtime: Path) -> Iterator[Result]:
    with Deployed(EmbeddedCluster, template("dev"), tasks["ours"], runtime) as deployed, Api(deployed) as alice:
        _describe(deployed)
        for number in range(LISTED):
            alice.submit(name=f"bench-{number}").raise_for_status()
        one = deployed.lambdas.functions["ListJobs"]
        handlers = {"floor": "floor.handle"}
        # The peers are one Lambda for all routes, with as much memory; no role of ours has their rights.
        outside = dict(one.environment) | {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
        outside = {name: value for name, value in outside.items() if name not in {"ENDPOINT", "AWS_SESSION_TOKEN"}}
        peers: dict[str, Function] = {
            kind: replace(one, name=kind, handler=handlers.get(kind, "app.app"), task=task, environment=outside)
            for kind, task in tasks.items()
            if kind != "ours"
        }
        functions = {name: deployed.lambdas.functions[_logical(name)] for name in cold_start.REQUESTS}

        def make_job(name: str) -> None:
            alice.submit(name=name, image=IMAGE).raise_for_status()

        starts = cold_start.ColdStarts(deployed, make_job, deployed.issuer.mint("alice"))
        yield from cold_start.results(starts, functions, peers)


def _logical(name: str) -> str:
    """The name of a function in the template."""
    return "".join(part.capitalize() for part in name.split("_"))


def _describe(deployed: Deployed[Any]) -> None:
    """Lets DescribeCluster, which only the peer asks, tell of our cluster."""
    eks = boto3.client("eks", **deployed.aws.connection)
    role = f"arn:aws:iam::{ACCOUNT}:role/eks"
    eks.create_cluster(name=deployed.cluster.name, roleArn=role, resourcesVpcConfig={})
    cluster = eks_backends[ACCOUNT][REGION].clusters[deployed.cluster.name]
    cluster.endpoint = deployed.cluster.url
    cluster.certificate_authority = {"data": deployed.authority}


def _sizes(tasks: dict[str, Path]) -> Iterator[Result]:
    own, peer = artefacts.size(tasks["ours"]), artefacts.size(tasks["sources"])
    for what, mine, other in (("zipped", own.zipped, peer.zipped), ("unzipped", own.unzipped, peer.unzipped)):
        ours = Figure.of(f"bundle, {what}", "MB", [mine / 10**6])
        yield Comparison(ours, Figure.of("naive peer", "MB", [other / 10**6]), 0.5)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else "an unknown processor"


if __name__ == "__main__":
    sys.exit(main())
