"""Chalice's packaging with one Lambda for each endpoint, where Chalice itself makes one of all routes.

Chalice plans a graph of resources, then writes a template from it. Both are taught here that each route has a function
of its own, named by the route's `name=`: by that name .chalice/config.json configures it. Every function runs the same
`app.app`; its variable ENDPOINT names the one route that it loads.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from chalice.deploy import models
from chalice.deploy.appgraph import ApplicationGraphBuilder
from chalice.deploy.swagger import CFNSwaggerGenerator
from chalice.package import SAMTemplateGenerator
from chalice.utils import to_cfn_resource_name as logical_id

from chalicelib.runtime.operation import BASE
from chalicelib.settings import cors_origin
from infra.packaging.alarms import api_alarm, function_alarms
from infra.packaging.dashboard import dashboard
from infra.packaging.gateway_responses import ANY_METHOD, gateway_responses, not_allowed
from infra.packaging.policies import role_policy

if TYPE_CHECKING:
    from chalice.app import Chalice, RouteEntry
    from chalice.config import Config

JsonObject = dict[str, Any]

HANDLER = "app.app"
API = "RestAPI"
API_NAME = {"Ref": "AWS::StackName"}
"""API Gateway's metrics know an API by its name alone, and an account may have a stack for each cluster."""
DOCS = "/researcher/api/docs"


ALIAS = "live"
PUBLISHING = {
    "AutoPublishAlias": ALIAS,
    # SAM publishes a version when the function's text changes, but no parameter's value is in that text. A version
    # with another description is another version, and each deployment has its own.
    "AutoPublishAliasAllProperties": True,
    "VersionDescription": {"Ref": "Release"},
    "SnapStart": {"ApplyOn": {"Ref": "SnapStart"}},
}
"""What API Gateway calls is a version behind an alias: only versions have SnapStart."""


class SharedNameError(Exception):
    """Two routes have one name, so that they would share a function; its text is the name."""


class EndpointGraph(ApplicationGraphBuilder):
    """What is deployed: a Lambda for each route.

    Chalice's model of an API holds one function and its authorizers, whom API Gateway may call, too; so it holds ours.
    """

    def _create_rest_api_model(
        self, config: Config, deployment: models.DeploymentPackage, stage_name: str
    ) -> models.RestAPI:
        api = super()._create_rest_api_model(config, deployment, stage_name)
        functions = [
            self._create_lambda_model(config, deployment, name, HANDLER, stage_name)
            for name in endpoints(config.chalice_app)
        ]
        for function in functions:
            own = {"ENDPOINT": function.resource_name} | ({"CORS_ORIGIN": cors_origin()} if cors_origin() else {})
            function.environment_variables = function.environment_variables | own
        api.lambda_function, *api.authorizers = functions
        return api

    def _create_role_reference(self, config: Config, stage_name: str, function_name: str) -> models.IAMRole:
        # Chalice would read a file of the function's own.
        role = cast("models.ManagedIAMRole", super()._create_role_reference(config, stage_name, function_name))
        document = role_policy(function_name, f"{logical_id(function_name)}LogGroup")
        role.policy = models.AutoGenIAMPolicy(document=document, traits=set())
        return role


class EndpointSwagger(CFNSwaggerGenerator):
    """The API: each route calls its own function, and what is no route is answered in our words."""

    def generate_swagger(self, app: Chalice, rest_api: models.RestAPI | None = None) -> JsonObject:
        """The document that API Gateway imports."""
        api: JsonObject = super().generate_swagger(app, rest_api)
        api["info"]["title"] = API_NAME
        for operations in api["paths"].values():
            operations[ANY_METHOD] = not_allowed([method.upper() for method in operations], cors_origin())
        return api | {"x-amazon-apigateway-gateway-responses": gateway_responses(cors_origin())}

    def _generate_apig_integ(self, view: RouteEntry) -> JsonObject:
        integration: JsonObject = super()._generate_apig_integ(view)
        uri = integration["uri"]["Fn::Sub"].replace("APIHandler.Arn", alias_arn(view.view_name))
        return integration | {"uri": {"Fn::Sub": uri}}


class EndpointTemplate(SAMTemplateGenerator):
    """The template: a log group that each function owns, and a permission for exactly its method and path."""

    def _generate_lambdafunction(self, resource: models.LambdaFunction, template: JsonObject) -> None:
        super()._generate_lambdafunction(resource, template)
        name, resources = logical_id(resource.resource_name), template["Resources"]
        # Chalice names the log group after the function, whose role could not name it then: a circle.
        group = f"/{self._config.app_name}/${{AWS::StackName}}/{resource.resource_name}"
        resources[f"{name}LogGroup"]["Properties"]["LogGroupName"] = {"Fn::Sub": group}
        resources[name]["Properties"]["LoggingConfig"] = {"LogGroup": {"Ref": f"{name}LogGroup"}}
        resources |= function_alarms(name, resource.timeout)

    def _generate_restapi(self, resource: models.RestAPI, template: JsonObject) -> None:
        properties: JsonObject = {
            "EndpointConfiguration": {"Type": resource.endpoint_type},
            "StageName": resource.api_gateway_stage,
            "DefinitionBody": resource.swagger_doc,
            "MinimumCompressionSize": int(resource.minimum_compression),
        }
        template["Resources"][API] = {"Type": "AWS::Serverless::Api", "Properties": properties}
        template["Resources"] |= api_alarm(API, API_NAME, resource.api_gateway_stage)
        template["Resources"]["Dashboard"] = dashboard(
            functions(self._config.chalice_app), "${AWS::StackName}", resource.api_gateway_stage
        )
        template["Outputs"] |= _urls(resource.api_gateway_stage)
        for name, (method, path) in endpoints(self._config.chalice_app).items():
            template["Resources"][logical_id(name)]["Properties"] |= PUBLISHING
            template["Resources"][f"{logical_id(name)}InvokePermission"] = {
                "Type": "AWS::Lambda::Permission",
                "Properties": {
                    "FunctionName": {"Ref": alias_arn(name)},
                    "Action": "lambda:InvokeFunction",
                    "Principal": self._options.service_principal("apigateway"),
                    "SourceArn": {"Fn::Sub": _source(resource.api_gateway_stage, method, path)},
                },
            }


def endpoints(app: Chalice) -> dict[str, tuple[str, str]]:
    """Function to method and path, by name; SharedNameError when two routes would share a function."""
    found: dict[str, tuple[str, str]] = {}
    for path, views in app.routes.items():
        for method, view in views.items():
            if view.view_name in found:
                raise SharedNameError(view.view_name)
            found[view.view_name] = method, path
    return dict(sorted(found.items()))


def alias_arn(name: str) -> str:
    """The logical id that SAM gives to the alias of a function."""
    return f"{logical_id(name)}Alias{ALIAS}"


def functions(app: Chalice) -> list[str]:
    """The names of all functions: those that answer requests, then those that get events."""
    return [*endpoints(app), *sorted(function.name for function in app.pure_lambda_functions)]


def _urls(stage: str) -> JsonObject:
    root = f"https://${{{API}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{stage}"
    return {
        "BaseUrl": {"Description": "What the paths of the document follow", "Value": {"Fn::Sub": root + BASE}},
        "DocsUrl": {"Description": "The documentation page", "Value": {"Fn::Sub": root + DOCS}},
    }


def _source(stage: str, method: str, path: str) -> str:
    """What calls the function: one route of one API. API Gateway writes a star for each variable of the path."""
    route = f"{stage}/{method}{re.sub(r'[{].+?[}]', '*', path)}"
    return f"arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{{API}}}/{route}"
