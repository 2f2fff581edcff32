"""Validators of amounts: GPUs, CPU, memory, volumes and durations. An amount without a certain meaning is rejected."""

from __future__ import annotations

import re

from chalicelib.domain.kubernetes.quantities import (
    MAX_MEMORY,
    MAX_SECONDS,
    MAX_VOLUME,
    MEMORY_PATTERN,
    memory_bytes,
    seconds,
)

_MILLICORES = re.compile(r"[0-9]+(\.[0-9]+)?m")
_MEMORY = re.compile(MEMORY_PATTERN)
_FEW_BYTES = re.compile(r"[0-9]{1,6}(\.[0-9]*)?")
"""So few bytes are no memory of a program: the number is meant in another unit."""
_FORMS = 'with a unit, "64Gi" (binary, GiB) or "64G" (decimal, GB), of at most 12 digits and 3 decimals'


def whole_number(number: object) -> object:
    """Return *number*, a float as an integer; raise ValueError if it has a fraction."""
    if isinstance(number, float) and number.is_integer():
        return int(number)
    if isinstance(number, float):
        raise ValueError("must be a whole number: GPUs are not shared")  # noqa: TRY004 - pydantic's contract
    return number


def cores_without_unit(cores: object) -> object:
    """Return *cores*; raise ValueError for Kubernetes' millicores, such as '500m'."""
    if isinstance(cores, str) and _MILLICORES.fullmatch(cores):
        raise ValueError("must be a number of cores: 0.5, not 500m")
    return cores


def memory_with_unit(memory: object) -> object:
    """Return *memory*; raise ValueError with the forms to use if it has no unit, or another one than Kubernetes'."""
    if isinstance(memory, (int, float)) and not isinstance(memory, bool):
        raise ValueError(f"must be a string {_FORMS}")  # noqa: TRY004 - pydantic's contract
    if isinstance(memory, str) and (_FEW_BYTES.fullmatch(memory) or not _MEMORY.fullmatch(memory)):
        raise ValueError(f"must be a number {_FORMS}")
    return memory


def memory_within(text: str) -> str:
    """Return *text*; raise ValueError if it is zero, or more than a node has."""
    _require_bytes(text)
    if memory_bytes(text) > memory_bytes(MAX_MEMORY):
        raise ValueError(f"must be at most {MAX_MEMORY}, the memory of the largest node")
    return text


def volume_within(text: str) -> str:
    """Return *text*; raise ValueError if it is zero, or more than a volume has."""
    _require_bytes(text)
    if memory_bytes(text) > memory_bytes(MAX_VOLUME):
        raise ValueError(f"must be at most {MAX_VOLUME}, the size of the largest volume")
    return text


def duration_within(duration: int | str) -> int | str:
    """Return *duration*; raise ValueError if it is zero, or too long."""
    if not 1 <= seconds(duration) <= MAX_SECONDS:
        raise ValueError("must be at least 1 second and at most 30 days")
    return duration


def _require_bytes(text: str) -> None:
    if not memory_bytes(text):
        raise ValueError("must be above 0")
