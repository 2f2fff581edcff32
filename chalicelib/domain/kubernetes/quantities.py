"""Quantities of a submission: memory as bytes, CPU as thousandths, durations as seconds."""

from __future__ import annotations

import re

MEMORY_PATTERN = r"[1-9][0-9]{0,11}(k|K|M|G|T|Ki|Mi|Gi|Ti)?"
DURATION_PATTERN = r"[1-9][0-9]{0,8}[smhd]?"
MAX_SECONDS = 30 * 86400
"""The longest run, and the longest a finished Job stays: 30 days."""

MAX_MEMORY = "32Ti"
"""As much as the largest EC2 instance has: https://aws.amazon.com/ec2/instance-types/u7i/."""
MAX_VOLUME = "64Ti"
"""The largest EBS volume: https://docs.aws.amazon.com/ebs/latest/userguide/volume_constraints.html."""
DEFAULT_MEMORY = "16Gi"
"""The most memory of a container that asks for none: the default limit in a Project's LimitRange."""

MAX_AMOUNT = 10**9
"""No count of the cluster comes near it."""
_MEMORY_UNITS = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_MEMORY_UNITS |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_UNITS = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0}
_UNITS |= {unit: 1000.0**power for power, unit in enumerate("kMGTPE", 1)}
_UNITS |= {f"{unit}i": 1024.0**power for power, unit in enumerate("KMGTPE", 1)}
_QUANTITY = re.compile(r"(?P<number>[0-9]{1,20}(\.[0-9]{1,20})?(e[0-9]{1,2})?)(?P<unit>[numkMGTPE]|[KMGTPE]i)?")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def memory_bytes(text: str) -> int:
    """How many bytes *text* means, such as 1073741824 for '1Gi'."""
    number, unit = _split(text)
    return number * _MEMORY_UNITS[unit]


def kubernetes_memory(text: str) -> str:
    """*text* as Kubernetes writes it, which knows k but not Run:ai's K."""
    return re.sub(r"K$", "k", text)


def seconds(duration: int | str) -> int:
    """How many seconds *duration* means, such as 10800 for '3h'."""
    if isinstance(duration, int):
        return duration
    number, unit = _split(duration)
    return number * _SECONDS[unit]


def kubernetes_cpu(cores: float) -> str:
    """*cores* as Kubernetes writes it: '500m' for 0.5."""
    thousandths = round(cores * 1000)
    return str(thousandths // 1000) if thousandths % 1000 == 0 else f"{thousandths}m"


def amount(quantity: str | float) -> int:
    """Return a count of the cluster, such as GPUs: 2000 for '2k'; 0 where it is none."""
    found = number(str(quantity))
    return int(found) if found is not None and found.is_integer() and found < MAX_AMOUNT else 0


def number(quantity: str) -> float | None:
    """*quantity* as Kubernetes writes it, such as 0.5 for '500m'; None where it is none."""
    found = _QUANTITY.fullmatch(quantity)
    return float(found["number"]) * _UNITS[found["unit"] or ""] if found else None


def _split(text: str) -> tuple[int, str]:
    number = text.rstrip("KMGTkismhd")
    return int(number), text[len(number) :]
