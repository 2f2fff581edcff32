"""Conversions of quantities in submissions and in the cluster: memory, CPU, durations and counts."""

from __future__ import annotations

import math
import re
from decimal import Decimal

MEMORY_PATTERN = r"([1-9][0-9]{0,11}(\.[0-9]{1,3})?|0\.[0-9]{1,3})(k|K|M|G|T|P|[KMGTP]iB?)?"
"""Kubernetes' units and, as other names for its binary ones, KiB to PiB. GB is not among them: some mean GiB by it."""
DURATION_PATTERN = r"[1-9][0-9]{0,8}[smhd]?"
MAX_SECONDS = 30 * 86400
"""Maximum runtime and maximum retention of a Job: 30 days."""

MAX_MEMORY = "32Ti"
"""The memory of the largest EC2 instance: https://aws.amazon.com/ec2/instance-types/u7i/."""
MAX_VOLUME = "64Ti"
"""The largest EBS volume: https://docs.aws.amazon.com/ebs/latest/userguide/volume_constraints.html."""
DEFAULT_MEMORY = "16Gi"
"""The memory limit of a container without one: the default in a Project's LimitRange."""

MAX_AMOUNT = 10**9
"""Counts from the cluster above this are not credible and read as 0."""
_MEMORY_UNITS = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}
_MEMORY_UNITS |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}
_UNITS = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0}
_UNITS |= {unit: 1000.0**power for power, unit in enumerate("kMGTPE", 1)}
_UNITS |= {f"{unit}i": 1024.0**power for power, unit in enumerate("KMGTPE", 1)}
_QUANTITY = re.compile(r"(?P<number>[0-9]{1,20}(\.[0-9]{1,20})?(e[0-9]{1,2})?)(?P<unit>[numkMGTPE]|[KMGTPE]i)?")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def memory_bytes(text: str) -> int:
    """Return *text* in bytes, such as 1610612736 for '1.5Gi'; a fraction of a byte is rounded up, as in Kubernetes."""
    number = text.rstrip("KMGTPkiB")
    return math.ceil(Decimal(number) * _MEMORY_UNITS[text[len(number) :].removesuffix("B")])


def kubernetes_memory(text: str) -> str:
    """Return *text* as a Kubernetes quantity, which has the suffix k but not Run:ai's K, and Gi but not GiB."""
    return re.sub(r"K$", "k", text.removesuffix("B"))


def seconds(duration: int | str) -> int:
    """Return *duration* in seconds, such as 10800 for '3h'."""
    if isinstance(duration, int):
        return duration
    number = duration.rstrip("smhd")
    return int(number) * _SECONDS[duration[len(number) :]]


def kubernetes_cpu(cores: float) -> str:
    """Return *cores* as a Kubernetes quantity, such as '500m' for 0.5."""
    millicores = round(cores * 1000)
    return str(millicores // 1000) if millicores % 1000 == 0 else f"{millicores}m"


def amount(quantity: str | float) -> int:
    """Return a count from the cluster, such as GPUs: 2000 for '2k'; 0 if it is not a valid count."""
    parsed = number(str(quantity))
    return int(parsed) if parsed is not None and parsed.is_integer() and parsed < MAX_AMOUNT else 0


def number(quantity: str) -> float | None:
    """Return a Kubernetes quantity as a number, such as 0.5 for '500m', or None if it is not valid."""
    match = _QUANTITY.fullmatch(quantity)
    return float(match["number"]) * _UNITS[match["unit"] or ""] if match else None
