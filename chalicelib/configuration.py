"""The configuration of a stage: what is too long for the environment variables of a function, which hold 4 KiB.

`make package` checks the stage's file and writes it into the zip, where each process reads it once, when it first needs
it. Because each zip belongs to one deployment, a function never sees a configuration of another release.
"""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import Annotated

import msgspec

from chalicelib.settings import InvalidSettingError

PACKAGED = Path(__file__).parent / "configuration.json"
"""The file in the zip; CONFIGURATION_FILE names another one."""
PEM = "-----BEGIN CERTIFICATE-----"

Certificate = Annotated[
    str,
    msgspec.Meta(
        description="A certificate in PEM, or the base64 of one, as DescribeCluster returns it.",
        min_length=1,
    ),
]


class Configuration(
    msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True, kw_only=True
):
    """The configuration of one stage."""

    schema_: Annotated[str, msgspec.Meta(description="The JSON Schema of this file, for editors.")] = msgspec.field(
        name="$schema", default=""
    )
    cluster_authorities: Annotated[
        tuple[Certificate, ...],
        msgspec.Meta(
            description=(
                "The certificate authorities of the cluster. To replace one without an outage, deploy the old and the "
                "new one together first."
            ),
            min_length=1,
        ),
    ]


@cache
def load(path: str) -> Configuration:
    """Return the configuration in the file *path*, by default that of the zip, read once in each process.

    Raises:
        InvalidSettingError: the file is missing or invalid. The text names the field and never its value.
    """
    try:
        return decode(Path(path or PACKAGED).read_bytes())
    except OSError as error:
        raise InvalidSettingError("the zip has no configuration.json: package the stage with its configuration") from (
            error
        )
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidSettingError(f"configuration.json is invalid: {error}") from error


def decode(text: bytes) -> Configuration:
    """Return the configuration in *text*; raise msgspec.MsgspecError, with the place, if it is invalid."""
    return msgspec.json.decode(text, type=Configuration)


def pem(certificates: tuple[str, ...]) -> str:
    """Return *certificates* in PEM; raise ValueError if one is neither PEM nor the base64 of it."""
    texts = [each if PEM in each else base64.b64decode(each, validate=True).decode() for each in certificates]
    if any(PEM not in text for text in texts):
        raise ValueError("no certificate in PEM")
    return "\n".join(texts)
