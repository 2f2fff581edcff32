"""The settings of one deployment. Nobody else reads the environment."""

from __future__ import annotations

import os
from functools import cache

import msgspec

_KEYS = ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")


class SettingError(Exception):
    """A setting cannot be used. Its text goes into the log, so it names the setting and never shows the value."""


class MissingSettingError(SettingError):
    """The environment lacks a setting; its text is the setting's name."""


class InvalidSettingError(SettingError):
    """A setting has a value that cannot be used; its text is the setting's name and what it must be."""


class Settings(msgspec.Struct, frozen=True):
    """One cluster, one token issuer. Every field is the environment variable of its name in capitals."""

    cluster_name: str
    cluster_endpoint: str
    """https URL of the Kubernetes API server."""
    cluster_ca: str
    """The certificate authority of the API server, PEM in base64, as DescribeCluster gives it."""
    cluster_role_arn: str
    """The role that the functions assume and that the cluster's access entry names."""
    cluster_external_id: str
    token_issuer: str
    """The `iss` of accepted tokens; its discovery document and keys are read from there."""
    token_audience: str
    """What `token_audience_claim` must hold: one value, or several separated by commas."""
    uploads_bucket: str
    """The S3 bucket of uploads, of their status objects and of Receipts."""
    aws_region: str
    token_audience_claim: str = "aud"
    """For Cognito's access tokens, which have no `aud`: `scope`, whose resource server is meant, or `client_id`."""
    token_groups_claim: str = "groups"
    """A list of groups, or scopes in one text such as Cognito's `scope`."""
    token_scope_prefix: str = "researcher/"
    """What marks a group among scopes."""
    token_subject_claim: str = "sub"
    token_url: str = ""
    """Where client id and secret buy a token; shown in the OpenAPI document."""
    authentication: str = "required"
    """`none` lets everybody in as group `researcher:anonymous`. Anything else means required."""
    deadline_seconds: float = 20.0
    """How long a request may take, beside what it was asked to wait; API Gateway stops at 29 s."""
    preflight: str = "on"
    """`on` refuses Jobs whose pods the cluster would never take, `strict` also those whose quota is full; or `off`."""
    uploads_bucket_owner: str = ""
    """The AWS account that the bucket must belong to."""
    aws_endpoint_url: str = ""
    """Where AWS's services are asked instead of at their own hosts, as AWS's SDKs understand it."""
    cleanup_dry_run: str = "true"
    """`false` lets the cleanup delete. Anything else means that it only tells what it would delete."""
    cleanup_retention_seconds: int = 604_800
    """How long a finished Job stays where neither it nor its Project asks otherwise; at most 30 days."""
    cleanup_failed_retention_seconds: int = 604_800
    """The same of one that failed."""
    cleanup_max_deletions: int = 1000
    """The most Jobs that one run of the cleanup deletes."""
    cleanup_max_pending_seconds: int = 86_400
    """After which the cleanup reports a Job that has not started; 0 for never."""
    aws_lambda_function_name: str = "local"
    """Set by Lambda; names the session in CloudTrail and in the cluster's audit log."""


@cache
def settings() -> Settings:
    """The settings, read once; MissingSettingError names the first that is missing."""
    known = msgspec.structs.fields(Settings)
    given = {field.name: os.environ.get(field.name.upper(), "") for field in known}
    missing = [field.name.upper() for field in known if field.required and not given[field.name]]
    if missing:
        raise MissingSettingError(missing[0])
    values = {field.name: field.type(given[field.name]) for field in known if given[field.name]}
    return Settings(**values)


def own_keys() -> tuple[str, str, str] | None:
    """Id, secret and token of this function's role, as Lambda sets them; None after a start from a snapshot."""
    key_id, secret, token = (os.environ.get(f"AWS_{name}", "") for name in _KEYS)
    return (key_id, secret, token) if key_id and secret else None


def endpoint_name() -> str:
    """The one function this Lambda is; empty where all are served together."""
    return os.environ.get("ENDPOINT", "")


def cors_origin() -> str:
    """The one web origin that may call from a browser; empty when none may."""
    return os.environ.get("CORS_ORIGIN", "")
