"""The settings of a deployment. No other module reads the environment."""

from __future__ import annotations

import os
from functools import cache

import msgspec

_KEYS = ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")


class SettingError(Exception):
    """A setting is missing or invalid. Its text is logged, so it has the name of the setting and never the value."""


class MissingSettingError(SettingError):
    """A required environment variable is not set; the text is its name."""


class InvalidSettingError(SettingError):
    """A setting has an invalid value; the text is its name and what it must be."""


class Settings(msgspec.Struct, frozen=True):
    """The settings of one cluster. Each field is read from the environment variable of its name in upper case."""

    cluster_name: str
    """The name of the EKS cluster, which is signed into each token for it."""
    cluster_endpoint: str
    """The https URL of the cluster's API server."""
    cluster_role_arn: str
    """The IAM role that the functions assume; the cluster has an access entry for it."""
    cluster_external_id: str
    """The ExternalId that the role's trust policy requires."""
    uploads_bucket: str
    """The S3 bucket for uploads, their status objects and Receipts."""
    aws_region: str
    """The AWS region; set by Lambda."""
    user_pool_issuer: str = ""
    """The issuer of the stack's own Cognito user pool, in addition to those of the configuration."""
    user_pool_client_id: str = ""
    """The public client of the stack's own user pool, with which people sign in."""
    token_url: str = ""
    """The token endpoint for the client credentials grant; published in the OpenAPI document."""
    documentation_url: str = ""
    """The guide and reference for users, to which the documentation page links."""
    authentication: str = "required"
    """`none` accepts every request as the group `researcher:anonymous`, which has no permissions until you bind it. Any
    other value means `required`."""
    deadline_seconds: float = 20.0
    """The time limit of a request, without the time that the caller asks to wait; API Gateway's limit is 29 s."""
    preflight: str = "on"
    """`off`, `on` (reject a Job whose pods the cluster would never admit), `strict` (or if the quota is full now)."""
    uploads_bucket_owner: str = ""
    """The AWS account that must own the bucket."""
    configuration_file: str = ""
    """Replaces the configuration in the zip by that in a file, such as one of a Lambda layer."""
    aws_endpoint_url: str = ""
    """Replaces the endpoints of AWS services, as in the AWS SDKs."""
    cleanup_dry_run: str = "true"
    """`false` lets the cleanup delete Jobs. With any other value it only reports which Jobs it would delete."""
    cleanup_retention_seconds: int = 604_800
    """The default retention of a finished Job, which the Job or its Project can override; at most 30 days."""
    cleanup_failed_retention_seconds: int = 604_800
    """The default retention of a failed Job."""
    cleanup_max_deletions: int = 1000
    """The maximum number of Jobs that one cleanup run deletes."""
    cleanup_max_pending_seconds: int = 86_400
    """The cleanup reports a Job that has been pending for longer than this; 0 disables the report."""
    aws_lambda_function_name: str = "local"
    """Set by Lambda; the name of the role session in CloudTrail and in the cluster's audit log."""


@cache
def settings() -> Settings:
    """Return the settings, read once from the environment; MissingSettingError if a required one is not set."""
    fields = msgspec.structs.fields(Settings)
    environment = {field.name: os.environ.get(field.name.upper(), "") for field in fields}
    missing = [field.name.upper() for field in fields if field.required and not environment[field.name]]
    if missing:
        raise MissingSettingError(missing[0])
    values = {field.name: field.type(environment[field.name]) for field in fields if environment[field.name]}
    return Settings(**values)


def own_keys() -> tuple[str, str, str] | None:
    """Return the access key id, secret key and session token that Lambda sets; None after a restore by SnapStart."""
    key_id, secret, token = (os.environ.get(f"AWS_{name}", "") for name in _KEYS)
    return (key_id, secret, token) if key_id and secret else None


def endpoint_name() -> str:
    """Return the name of the function that this Lambda serves; empty where one process serves all."""
    return os.environ.get("ENDPOINT", "")


def stack_name() -> str:
    """Return the name of the CloudFormation stack, which distinguishes the metrics of two stacks in one account."""
    return os.environ.get("STACK_NAME", "") or "local"


def cors_origin() -> str:
    """Return the web origin that may call the API from a browser; empty if none may."""
    return os.environ.get("CORS_ORIGIN", "")
