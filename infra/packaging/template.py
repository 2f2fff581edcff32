"""`python -m infra.packaging --stage dev --out build/dev`: the CloudFormation template, its zip, and what is in that.

Asks nobody: neither AWS nor credentials are needed, and what a deployment is told comes as parameters of its stack.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chalice.config import Config
from chalice.deploy.appgraph import DependencyBuilder
from chalice.deploy.deployer import BaseDeployStep, BuildStage, InjectDefaults, PolicyGenerator, SwaggerBuilder
from chalice.package import PackageOptions, ResourceBuilder, TemplateDeepMerger
from chalice.policy import AppPolicyGenerator
from chalice.utils import OSUtils

import app
from infra.packaging.bundle import LAMBDA, REQUIREMENTS, ROOT, NoInterpreterError, write_bundle
from infra.packaging.chalice_graph import EndpointGraph, EndpointSwagger, EndpointTemplate
from infra.packaging.cloudformation_yaml import load_cloudformation
from infra.packaging.sbom import bill_of_materials

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalice.deploy import models

JsonObject = dict[str, Any]

CONFIG = ROOT / ".chalice" / "config.json"
RESOURCES = Path(__file__).parent / "resources.yaml"
"""What the template has beside the functions and the API."""
TEMPLATE = "template.json"
BUNDLE = "functions.zip"
SBOM = "sbom.cdx.json"
_NO_INTERPRETER = (
    f"Python {LAMBDA.python}, the functions' version, is needed to compile {BUNDLE}: without bytecode every cold start "
    f"would compile it. Install python{LAMBDA.python} and package again.\n"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the files; SystemExit when there is no such stage, or no Python that compiles for the functions."""
    stages = stage_names()
    parser = argparse.ArgumentParser(prog="python -m infra.packaging", description=__doc__)
    parser.add_argument("--stage", required=True, choices=stages, help="a stage of .chalice/config.json")
    parser.add_argument("--out", required=True, type=Path, help="the folder to write to")
    given = parser.parse_args(arguments)
    try:
        write_bundle(given.out / BUNDLE)
    except NoInterpreterError:
        parser.exit(1, _NO_INTERPRETER)
    bill = bill_of_materials(REQUIREMENTS.read_text(encoding="utf-8"))
    for name, document in ((TEMPLATE, template(given.stage)), (SBOM, bill)):
        (given.out / name).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    written = f"{given.out / TEMPLATE}, {given.out / BUNDLE} and {given.out / SBOM}"
    sys.stdout.write(f"Packaged stage {given.stage}: {written}\n")
    return 0


def stage_names() -> list[str]:
    """The stages that can be packaged: one for each cluster."""
    return list(_configured()["stages"])


def template(stage: str) -> JsonObject:
    """The template of *stage*, which names the zip beside it."""
    config = Deployment(
        stage,
        user_provided_params={"chalice_app": app.app, "project_dir": str(ROOT)},
        config_from_disk=_configured(),
    )
    files = OSUtils()
    steps = [InjectDefaults(), CodeLocation(), PolicyGenerator(AppPolicyGenerator(files), files)]
    build = BuildStage([*steps, SwaggerBuilder(EndpointSwagger())])
    resources = ResourceBuilder(EndpointGraph(), DependencyBuilder(), build).construct_resources(config, stage)
    generated = EndpointTemplate(config, Services()).generate(resources)
    merged: JsonObject = TemplateDeepMerger().merge(load_cloudformation(RESOURCES), generated)
    return merged


class Deployment(Config):
    """Chalice's reading of .chalice/config.json, but for the functions' Python in place of the one that packages."""

    @property
    def lambda_python_version(self) -> str:
        """The runtime."""
        return f"python{LAMBDA.python}"


class CodeLocation(BaseDeployStep):
    """Chalice would build a zip of its own here."""

    def handle_deploymentpackage(self, config: Config, resource: models.DeploymentPackage) -> None:
        """Names ours."""
        del config
        resource.filename = f"./{BUNDLE}"


class Services(PackageOptions):
    """The names of AWS services, which are the same in every region; Chalice would ask a client for its region."""

    def __init__(self) -> None:
        """Needs no client."""

    def service_principal(self, service: str) -> str:
        """As which *service* calls, or assumes a role."""
        return f"{service}.amazonaws.com"


def _configured() -> JsonObject:
    configured: JsonObject = json.loads(CONFIG.read_text(encoding="utf-8"))
    return configured
