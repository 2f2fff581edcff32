"""Chalice's packaging with one Lambda function per route; Chalice itself packages all routes as one function.

Chalice builds a graph of resources and writes a template from it. The subclasses here give each route its own function,
named by the `name=` of the route; .chalice/config.json configures it by that name. All functions run the same
`app.app`, and the variable ENDPOINT selects the one route that it loads.
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
from infra.packaging.alarms import LONG_POLLING, api_alarm, function_alarms
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
"""API Gateway's metrics identify an API only by its name, and an account may have a stack for each cluster."""
DOCS = "/researcher/api/docs"


ALIAS = "live"
PUBLISHING = {
    "AutoPublishAlias": ALIAS,
    # SAM creates a version only if the text of the function changes, which does not contain parameter values. The
    # description makes each deployment a new version; the variable RELEASE lets Lambda publish it.
    "AutoPublishAliasAllProperties": True,
    "VersionDescription": {"Ref": "Release"},
    "SnapStart": {"ApplyOn": {"Ref": "SnapStart"}},
}
"""API Gateway invokes a version by its alias, because SnapStart is available only for versions."""
RETAINED = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
_STACK_UUID = {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
STACK_NUMBER = {"Fn::Select": [0, {"Fn::Split": ["-", _STACK_UUID]}]}
"""The first part of the stack's UUID, for the names of log groups: those of a deleted stack of that name may exist."""
NO_VALUE = {"Ref": "AWS::NoValue"}


class SharedNameError(Exception):
    """Two routes have the same name, and would share a function; the text is the name."""


class EndpointGraph(ApplicationGraphBuilder):
    """The resource graph, with a Lambda function for each route.

    Chalice's model of an API has one function, and authorizers that API Gateway may also invoke. Our first function is
    passed as the function, the others as authorizers.
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
            environment = {"ENDPOINT": function.resource_name} | (
                {"CORS_ORIGIN": cors_origin()} if cors_origin() else {}
            )
            function.environment_variables = function.environment_variables | environment
        api.lambda_function, *api.authorizers = functions
        return api

    def _create_role_reference(self, config: Config, stage_name: str, function_name: str) -> models.IAMRole:
        # Chalice would read a policy file for each function.
        role = cast("models.ManagedIAMRole", super()._create_role_reference(config, stage_name, function_name))
        document = role_policy(function_name, f"{logical_id(function_name)}LogGroup")
        role.policy = models.AutoGenIAMPolicy(document=document, traits=set())
        return role


class EndpointSwagger(CFNSwaggerGenerator):
    """The OpenAPI document for API Gateway: each route invokes its function, and other requests get our errors."""

    def generate_swagger(self, app: Chalice, rest_api: models.RestAPI | None = None) -> JsonObject:
        """Return the document that API Gateway imports."""
        api: JsonObject = super().generate_swagger(app, rest_api)
        api["info"]["title"] = API_NAME
        for operations in api["paths"].values():
            operations[ANY_METHOD] = not_allowed([method.upper() for method in operations], cors_origin())
        return api | {"x-amazon-apigateway-gateway-responses": gateway_responses(cors_origin())}

    def _generate_apig_integ(self, view: RouteEntry) -> JsonObject:
        integration: JsonObject = super()._generate_apig_integ(view)
        uri = integration["uri"]["Fn::Sub"].replace("APIHandler.Arn", alias_id(view.view_name))
        return integration | {"uri": {"Fn::Sub": uri}}


class EndpointTemplate(SAMTemplateGenerator):
    """The template: each function has its own log group, and a permission for exactly its method and path."""

    def _generate_lambdafunction(self, resource: models.LambdaFunction, template: JsonObject) -> None:
        super()._generate_lambdafunction(resource, template)
        name, resources = logical_id(resource.resource_name), template["Resources"]
        # Chalice names the log group after the function; its role would then depend on the function, which is a cycle.
        group = f"/{self._config.app_name}/${{AWS::StackName}}-${{Number}}/{resource.resource_name}"
        resources[f"{name}LogGroup"] |= RETAINED
        resources[f"{name}LogGroup"]["Properties"]["LogGroupName"] = {"Fn::Sub": [group, {"Number": STACK_NUMBER}]}
        resources[name]["Properties"]["LoggingConfig"] = {"LogGroup": {"Ref": f"{name}LogGroup"}}
        if name in LONG_POLLING:
            concurrency = {"Fn::If": [f"{name}Reserved", {"Ref": f"{name}Concurrency"}, NO_VALUE]}
            resources[name]["Properties"]["ReservedConcurrentExecutions"] = concurrency
        resources |= function_alarms(name, resource.timeout)

    def _generate_managediamrole(self, resource: models.ManagedIAMRole, template: JsonObject) -> None:
        super()._generate_managediamrole(resource, template)
        boundary = {"Fn::If": ["Bounded", {"Ref": "PermissionsBoundaryArn"}, NO_VALUE]}
        template["Resources"][logical_id(resource.resource_name)]["Properties"]["PermissionsBoundary"] = boundary

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
        template["Outputs"] |= _url_outputs(resource.api_gateway_stage)
        for name, (method, path) in endpoints(self._config.chalice_app).items():
            template["Resources"][logical_id(name)]["Properties"] |= PUBLISHING
            template["Resources"][f"{logical_id(name)}InvokePermission"] = {
                "Type": "AWS::Lambda::Permission",
                "Properties": {
                    "FunctionName": {"Ref": alias_id(name)},
                    "Action": "lambda:InvokeFunction",
                    "Principal": self._options.service_principal("apigateway"),
                    "SourceArn": {"Fn::Sub": _source_arn(resource.api_gateway_stage, method, path)},
                },
            }


def endpoints(app: Chalice) -> dict[str, tuple[str, str]]:
    """Return method and path by function name; raise SharedNameError if two routes have the same name."""
    by_name: dict[str, tuple[str, str]] = {}
    for path, views in app.routes.items():
        for method, view in views.items():
            if view.view_name in by_name:
                raise SharedNameError(view.view_name)
            by_name[view.view_name] = method, path
    return dict(sorted(by_name.items()))


def alias_id(name: str) -> str:
    """Return the logical ID that SAM gives to the alias of a function."""
    return f"{logical_id(name)}Alias{ALIAS}"


def functions(app: Chalice) -> list[str]:
    """Return the names of all functions: those of the routes, then those that receive events."""
    return [*endpoints(app), *sorted(function.name for function in app.pure_lambda_functions)]


def _url_outputs(stage: str) -> JsonObject:
    root = f"https://${{{API}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{stage}"
    return {
        "BaseUrl": {
            "Description": "The base URL of the paths in the OpenAPI document",
            "Value": {"Fn::Sub": root + BASE},
        },
        "DocsUrl": {"Description": "The URL of the documentation page", "Value": {"Fn::Sub": root + DOCS}},
        "RestApiId": {"Description": "The ID of the API, for a domain name of your own", "Value": {"Ref": API}},
        "StageArn": {
            "Description": "The ARN of the stage, for a web ACL of AWS WAF",
            "Value": {
                "Fn::Sub": f"arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}::/restapis/${{{API}}}/stages/{stage}"
            },
        },
    }


def _source_arn(stage: str, method: str, path: str) -> str:
    """Return the ARN pattern of the route that invokes the function; API Gateway has a star for each path variable."""
    route = f"{stage}/{method}{re.sub(r'[{].+?[}]', '*', path)}"
    return f"arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{{API}}}/{route}"
