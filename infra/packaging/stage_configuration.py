"""The configuration of a stage, checked before it is written into the zip."""

from __future__ import annotations

from ssl import SSLError
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from chalicelib.adapters.kubernetes.tls import cluster_contexts
from chalicelib.adapters.oidc.bearer_tokens import key_set
from chalicelib.configuration import Configuration, pem
from chalicelib.domain.errors import MalformedRequest
from chalicelib.domain.parsing.strict_json import json_document
from chalicelib.settings import InvalidSettingError

if TYPE_CHECKING:
    from pathlib import Path


class ConfigurationError(Exception):
    """The file cannot be used; the text says where and why, without values."""


def packaged(path: Path) -> bytes:
    """Return the configuration in the file *path* as the zip has it; raise ConfigurationError if it is invalid."""
    try:
        configuration = msgspec.convert(json_document(path.read_bytes()), Configuration)
    except OSError as error:
        raise ConfigurationError(f"the file cannot be read: {error.strerror}") from error
    except MalformedRequest as error:
        raise ConfigurationError("the file is not strict JSON in UTF-8, without comments and duplicate keys") from error
    except msgspec.ValidationError as error:
        raise ConfigurationError(str(error)) from error
    _check_certificates(configuration.cluster_authorities, "clusterAuthorities")
    for index, issuer in enumerate(configuration.token_issuers):
        _check_certificates(issuer.authorities, f"tokenIssuers[{index}].authorities")
        try:
            key_set(issuer)
        except InvalidSettingError as error:
            raise ConfigurationError(f"tokenIssuers[{index}]: {error}") from error
    return msgspec.json.encode(replace(configuration, schema_=""))


def _check_certificates(certificates: tuple[str, ...], field: str) -> None:
    for index, certificate in enumerate(certificates):
        try:
            cluster_contexts(pem((certificate,)))
        except (ValueError, SSLError) as error:
            raise ConfigurationError(f"{field}[{index}] must be a certificate in PEM, or the base64 of one") from error
