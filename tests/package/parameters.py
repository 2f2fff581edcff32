"""Valid values of the stack's parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUIRED = {
    "ClusterName": "gpu-east",
    "ClusterEndpoint": "https://0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com",
    "ClusterRoleArn": "arn:aws:iam::123456789012:role/researcher-access-Role-1A2B3C",
    "ClusterExternalId": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "UploadsBucket": "acme-gpu-east-researcher",
}
"""Values of those without a default."""
CHANGED = {
    "ClusterRoleArn": "arn:aws:iam::123456789012:role/other",
    "ClusterEndpoint": "https://other.example",
    "SubnetIds": "subnet-1,subnet-2",
    "SecurityGroupIds": "sg-1",
    "CleanupSchedule": "cron(0 4 * * ? *)",
    "AnnounceSchedule": "rate(5 minutes)",
    "GetJobConcurrency": "100",
    "ListJobsConcurrency": "100",
    "UploaderArns": "arn:aws:iam::123456789012:role/ci,arn:aws:iam::123456789012:user/alice",
    "PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/boundary",
    "AlarmTopicArn": "arn:aws:sns:eu-west-1:123456789012:alarms",
}
"""Other values of the parameters with a pattern."""


def other_value(name: str, declared: Mapping[str, Any]) -> str:
    """Return a valid value of a parameter that is neither its default nor the one in REQUIRED."""
    if "AllowedValues" in declared:
        return next(str(value) for value in declared["AllowedValues"] if value != declared["Default"])
    if name in CHANGED:
        return CHANGED[name]
    current = str(declared.get("Default", REQUIRED.get(name, "")))
    return str(int(current) + 1) if current.isdecimal() else f"{current}x"
