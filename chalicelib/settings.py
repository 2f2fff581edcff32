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
    """The name of the EKS cluster, which is signed into each token for it."""
    cluster_endpoint: str
    """The https URL of the cluster's API server."""
    cluster_ca: str
    """The cluster's certificate authority, PEM in base64, as DescribeCluster returns it. It may hold several: to
    replace one without an outage, deploy the old and the new one together first."""
    cluster_role_arn: str
    """The IAM role that the functions assume, and that the cluster's access entry names."""
    cluster_external_id: str
    """The ExternalId that the role's trust policy requires."""
    token_issuer: str
    """The `iss` of accepted tokens. Its discovery document and keys are read from there."""
    token_audience: str
    """The value that the audience claim must have: one, or several separated by commas."""
    uploads_bucket: str
    """The S3 bucket of uploads, status objects and Receipts."""
    aws_region: str
    """The AWS region; set by Lambda."""
    token_audience_claim: str = "aud"
    """The claim that names the audience. Cognito's access tokens have no `aud`: use `scope`, where the audience is the
    resource server of a scope, or `client_id`."""
    token_groups_claim: str = "groups"
    """The claim with the groups: a list, or scopes in one string such as Cognito's `scope`."""
    token_scope_prefix: str = "researcher/"
    """The prefix of scopes that are groups."""
    token_subject_claim: str = "sub"
    """The claim that names the caller, shown as a Job's `user` and in the cluster's audit log."""
    token_url: str = ""
    """The URL at which a client ID and secret get a token; shown in the OpenAPI document."""
    authentication: str = "required"
    """`none` accepts every request as the group `researcher:anonymous`, to which no manifest here gives anything: bind
    it, and let the API impersonate it, by hand. Any other value means `required`."""
    deadline_seconds: float = 20.0
    """The time that a request may take, beside its `wait`; 27 in all, because API Gateway stops at 29."""
    preflight: str = "on"
    """`on` refuses Jobs whose pods the cluster would never accept, `strict` also those whose quota is full now, `off`
    neither."""
    uploads_bucket_owner: str = ""
    """The AWS account that must own the bucket."""
    aws_endpoint_url: str = ""
    """The endpoint of all AWS services in place of their own, as AWS's SDKs read it."""
    cleanup_dry_run: str = "true"
    """`false` lets the cleanup delete. With any other value it only reports what it would delete."""
    cleanup_retention_seconds: int = 604_800
    """How long a finished Job stays, unless it or its Project says otherwise; at most 30 days."""
    cleanup_failed_retention_seconds: int = 604_800
    """The same for a Job that failed."""
    cleanup_max_deletions: int = 1000
    """The most Jobs that one run of the cleanup deletes."""
    cleanup_max_pending_seconds: int = 86_400
    """The time after which the cleanup reports a Job that has not started; 0 for never."""
    aws_lambda_function_name: str = "local"
    """The function's name; set by Lambda. It names the session in CloudTrail and in the cluster's audit log."""


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
