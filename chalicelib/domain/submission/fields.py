"""The types of the fields of a submission, with the limits that the OpenAPI document publishes."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from chalicelib.domain.kubernetes.quantities import DURATION_PATTERN, MAX_SECONDS, MEMORY_PATTERN
from chalicelib.domain.labels import is_label_key, is_reserved_key
from chalicelib.domain.names import NEW_JOB_PATTERN, PROJECT_PATTERN
from chalicelib.domain.parsing.literals import plain, text_of
from chalicelib.domain.submission.amounts import (
    cores_without_unit,
    duration_within,
    memory_with_unit,
    memory_within,
    volume_within,
    whole_number,
)
from chalicelib.domain.submission.command_line import escape_expansions, split_command
from chalicelib.domain.submission.device_variables import injects_devices
from chalicelib.domain.submission.image import IMAGE_PATTERN, MAX_IMAGE, check_image
from chalicelib.domain.submission.reserved_variables import INDEX_MAP

MAX_VARIABLES = 128


class Strict(BaseModel):
    """The base class of all models: strict types, camelCase names in JSON, unknown fields are rejected."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def _booleans(cls, fields: object) -> object:
        """Turn a boolean of YAML into True or False, which no class of ours can be."""
        return {name: plain(value) for name, value in fields.items()} if isinstance(fields, dict) else fields


def _split_command(command: object) -> object:
    if isinstance(command, str):
        # A shell passes these words as they are, so Kubernetes must not replace anything in them.
        return [escape_expansions(word) for word in split_command(command)]
    return command


def _user_key(key: str) -> str:
    if not is_label_key(key):
        raise ValueError(
            "must have a key of letters, digits, hyphens, dots and underscores, such as team or example.org/team"
        )
    if is_reserved_key(key):
        raise ValueError("is reserved for Kubernetes, a scheduler, AWS or this API; use another key")
    return key


def _variable_name(name: str) -> str:
    if name == "." or name.startswith(".."):
        raise ValueError("must not be a dot or begin with two dots")
    if injects_devices(name):
        raise ValueError("is reserved: it can inject devices that the Job does not request; set gpu instead")
    return name


def _environment(variables: dict[str, object]) -> dict[str, object]:
    # A retry, and its clones, have one variable more than the Job that it retries.
    if len(variables.keys() - {INDEX_MAP}) > MAX_VARIABLES:
        raise ValueError(f"must have at most {MAX_VARIABLES} entries")
    return variables


def _matching(pattern: str, max_length: int) -> StringConstraints:
    return StringConstraints(pattern=rf"^{pattern}$", max_length=max_length)


_DNS_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"

Text = Annotated[str, _matching(r"[^\x00]*", 8192)]
Project = Annotated[str, _matching(PROJECT_PATTERN, 50)]
NewJobName = Annotated[str, _matching(NEW_JOB_PATTERN, 52)]
JobNamePrefix = Annotated[str, _matching(_DNS_LABEL, 40)]
"""Shorter than a name, because a hyphen and a unique suffix are appended."""
Image = Annotated[str, _matching(IMAGE_PATTERN, MAX_IMAGE), BeforeValidator(check_image)]
"""An @ is allowed only before a digest: in a URL it follows a password, which every list of Jobs would show."""
TextValue = Annotated[Text, BeforeValidator(text_of, json_schema_input_type=Text | float | bool)]
"""A number or a boolean becomes the text by which it is written."""
TextList = Annotated[list[TextValue], Field(max_length=256)]
Words = Annotated[TextList, BeforeValidator(_split_command, json_schema_input_type=TextList | Text)]
"""Run:ai's type of a command is one string, which is split like in a shell."""
_Gpus = Annotated[int, Field(ge=0, le=64)]
Gpus = Annotated[_Gpus, BeforeValidator(whole_number, json_schema_input_type=_Gpus)]
"""Run:ai's type of GPUs is double: 1.0 is accepted; fractions such as 0.5 are not available in Kubernetes."""
Cores = Annotated[float, Field(ge=0.001, le=1024, allow_inf_nan=False), BeforeValidator(cores_without_unit)]
_Bytes = Annotated[str, _matching(MEMORY_PATTERN, 19), BeforeValidator(memory_with_unit)]
Memory = Annotated[_Bytes, AfterValidator(memory_within)]
VolumeSize = Annotated[_Bytes, AfterValidator(volume_within)]
Duration = Annotated[
    Annotated[int, Field(ge=1, le=MAX_SECONDS)] | Annotated[str, _matching(DURATION_PATTERN, 10)],
    AfterValidator(duration_within),
]
AbsolutePath = Annotated[str, _matching(r"/[^\x00:]*", 1024)]
VariableName = Annotated[str, _matching(r"[-._a-zA-Z][-._a-zA-Z0-9]*", 128), AfterValidator(_variable_name)]
"""Kubernetes also accepts dots and hyphens, which a shell cannot read but a program can."""
DnsLabel = Annotated[str, _matching(_DNS_LABEL, 63)]
DnsSubdomain = Annotated[str, _matching(rf"{_DNS_LABEL}(\.{_DNS_LABEL})*", 253)]
Key = Annotated[str, Field(min_length=1, max_length=317), AfterValidator(_user_key)]
LabelValue = Annotated[str, _matching(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?", 63)]
LabelText = Annotated[LabelValue, BeforeValidator(text_of, json_schema_input_type=LabelValue | float | bool)]
_ExitCode = Annotated[int, Field(ge=1, le=255)]
NodeType = Annotated[LabelValue, Field(min_length=1)]


class SecretKey(Strict):
    """A key of a Secret in the Project's namespace."""

    name: Annotated[DnsSubdomain, Field(description="The name of the Secret.")]
    key: Annotated[str, _matching(r"[-._a-zA-Z0-9]+", 253), Field(description="The key in the Secret.")]


class SecretVariable(Strict):
    """A variable whose value comes from a Secret."""

    secret: Annotated[SecretKey, Field(description="The Secret's name and key.")]


Variable = Annotated[
    Text | SecretVariable,
    BeforeValidator(text_of, json_schema_input_type=Text | float | bool | SecretVariable),
]
Environment = Annotated[
    dict[VariableName, Variable],
    AfterValidator(_environment),
    Field(json_schema_extra={"maxProperties": MAX_VARIABLES}),
]


class Claim(Strict):
    """A volume: an existing PersistentVolumeClaim by `name`, or an ephemeral volume of `size`, deleted with the pod."""

    path: Annotated[AbsolutePath, Field(description="The directory at which it is mounted.")]
    name: Annotated[DnsSubdomain | None, Field(description="The name of a PersistentVolumeClaim.")] = None
    size: Annotated[VolumeSize | None, Field(description="The size of an ephemeral volume; at most 64Ti.")] = None
    storage_class: Annotated[DnsSubdomain | None, Field(description="The StorageClass of an ephemeral volume.")] = None
    read_only: Annotated[bool, Field(description="Mount it read-only.")] = False


class Retry(Strict):
    """Which pod failures are retried, within the backoff limits. Any other failure fails the Job or its index."""

    exit_codes: Annotated[
        list[Annotated[_ExitCode, BeforeValidator(plain, json_schema_input_type=_ExitCode)]] | None,
        Field(min_length=1, max_length=255, description="Exit codes that are retried; no other exit code is."),
    ] = None
    ignore_disruptions: Annotated[
        bool, Field(description="Replace evicted and preempted pods without counting a failure.")
    ] = False

    @model_validator(mode="after")
    def _is_not_empty(self) -> Self:
        if not (self.exit_codes or self.ignore_disruptions):
            raise ValueError('must have exitCodes or ignoreDisruptions; for example {"ignoreDisruptions": true}')
        return self
