"""`python -m infra.packaging --stage dev --out build/dev`: write the CloudFormation template, the zip and the SBOM.

Needs neither AWS nor credentials: the settings of a deployment are parameters of its stack.
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
from chalicelib.configuration import decode
from infra.packaging.bundle import LAMBDA, REQUIREMENTS, ROOT, NoInterpreterError, write_bundle
from infra.packaging.chalice_graph import EndpointGraph, EndpointSwagger, EndpointTemplate
from infra.packaging.cloudformation_yaml import load_cloudformation
from infra.packaging.sbom import bill_of_materials
from infra.packaging.stage_configuration import ConfigurationError, packaged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalice.deploy import models

JsonObject = dict[str, Any]

CONFIG = ROOT / ".chalice" / "config.json"
RESOURCES = Path(__file__).parent / "resources.yaml"
"""The resources of the template other than the functions and the API."""
TEMPLATE = "template.json"
BUNDLE = "functions.zip"
SBOM = "sbom.cdx.json"
_NO_INTERPRETER = (
    f"Python {LAMBDA.python}, the functions' version, is needed to compile {BUNDLE}: without bytecode every cold start "
    f"would compile it. Install python{LAMBDA.python} and run the command again.\n"
)
_NO_CONFIGURATION = f"{BUNDLE} has no configuration, so it cannot be deployed: see docs/operate/deploy.md.\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files; exit with an error for an unknown stage, or without a Python that can compile the functions."""
    stages = stage_names()
    parser = argparse.ArgumentParser(prog="python -m infra.packaging", description=__doc__)
    parser.add_argument("--stage", required=True, choices=stages, help="a stage of .chalice/config.json")
    parser.add_argument("--out", required=True, type=Path, help="the folder to write to")
    parser.add_argument(
        "--configuration", type=Path, help="the configuration of the stage; without it, the functions do not work"
    )
    options = parser.parse_args(arguments)
    if not options.configuration:
        sys.stderr.write(_NO_CONFIGURATION)
    try:
        configuration = packaged(options.configuration) if options.configuration else b""
        write_bundle(options.out / BUNDLE, LAMBDA, configuration)
    except NoInterpreterError:
        parser.exit(1, _NO_INTERPRETER)
    except ConfigurationError as error:
        parser.exit(1, f"{options.configuration} is not a valid configuration: {error}\n")
    user_pool = not configuration or decode(configuration).has_user_pool
    sbom = bill_of_materials(REQUIREMENTS.read_text(encoding="utf-8"))
    for name, document in ((TEMPLATE, template(options.stage, user_pool=user_pool)), (SBOM, sbom)):
        (options.out / name).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    written = f"{options.out / TEMPLATE}, {options.out / BUNDLE} and {options.out / SBOM}"
    sys.stdout.write(f"Packaged stage {options.stage}: {written}\n")
    return 0


def stage_names() -> list[str]:
    """Return the stages of .chalice/config.json, one for each cluster."""
    return list(_load_config()["stages"])


def template(stage: str, *, user_pool: bool = True) -> JsonObject:
    """Return the template of *stage*, which refers to the zip in the same folder; by default with a *user_pool*."""
    config = Deployment(
        stage,
        user_provided_params={"chalice_app": app.app, "project_dir": str(ROOT)},
        config_from_disk=_load_config(),
    )
    files = OSUtils()
    steps = [InjectDefaults(), CodeLocation(), PolicyGenerator(AppPolicyGenerator(files), files)]
    build = BuildStage([*steps, SwaggerBuilder(EndpointSwagger())])
    resources = ResourceBuilder(EndpointGraph(), DependencyBuilder(), build).construct_resources(config, stage)
    generated = EndpointTemplate(config, Services()).generate(resources)
    merged: JsonObject = TemplateDeepMerger().merge(load_cloudformation(RESOURCES), generated)
    merged["Parameters"]["OwnUserPool"]["Default"] = str(user_pool).lower()
    return merged


class Deployment(Config):
    """Chalice's configuration, with the Python version of the functions in place of that of this process."""

    @property
    def lambda_python_version(self) -> str:
        """The runtime of the functions."""
        return f"python{LAMBDA.python}"


class CodeLocation(BaseDeployStep):
    """Replaces the build step in which Chalice creates its own zip."""

    def handle_deploymentpackage(self, config: Config, resource: models.DeploymentPackage) -> None:
        """Refer to our zip."""
        del config
        resource.filename = f"./{BUNDLE}"


class Services(PackageOptions):
    """The service principals, which are the same in all regions; Chalice would create a client to find the region."""

    def __init__(self) -> None:
        """Create the options without a client."""

    def service_principal(self, service: str) -> str:
        """Return the service principal of *service*."""
        return f"{service}.amazonaws.com"


def _load_config() -> JsonObject:
    configured: JsonObject = json.loads(CONFIG.read_text(encoding="utf-8"))
    return configured
