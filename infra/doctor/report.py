"""Run all checks, and print what they found."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from infra.doctor import eks_checks, function_checks, manifest_checks, stack_checks
from infra.doctor.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from infra.doctor.target import Target

    Check = Callable[[Target], Iterator[Finding]]

FIRST: tuple[Check, ...] = (stack_checks.credentials, stack_checks.stack)
"""The others need what these find."""
CHECKS: tuple[Check, ...] = (
    eks_checks.cluster,
    eks_checks.access_entry,
    eks_checks.cluster_role,
    function_checks.functions,
    manifest_checks.base,
    manifest_checks.projects,
    stack_checks.bucket,
    stack_checks.schedules,
    stack_checks.alarms,
    stack_checks.failed_uploads,
    eks_checks.nodes,
)
PARALLEL = 8
SYMBOLS = {"ok": "ok     ", "hint": "hint   ", "unknown": "unknown", "failed": "FAILED "}
_UNREADABLE = (BotoCoreError, ClientError, ApiException, HTTPError, RuntimeError, KeyError, IndexError)


def findings(target: Target) -> list[Finding]:
    """Return what all checks find, in their order. A check that cannot read what it needs is unknown."""
    first = [each for check in FIRST for each in _run(check, target)]
    if any(each.state != "ok" for each in first):
        return first
    with ThreadPoolExecutor(PARALLEL) as pool:
        results = list(pool.map(lambda check: _run(check, target), CHECKS))
    return first + [each for result in results for each in result]


def _run(check: Check, target: Target) -> list[Finding]:
    found: list[Finding] = []
    try:
        found.extend(check(target))
    except _UNREADABLE as error:
        name = check.__name__.replace("_", "-")
        found.append(Finding(name, "unknown", f"Could not be checked: {reason(error)}.", _permission(error)))
    return found


def reason(error: Exception) -> str:
    """Return the reason of *error*, without texts that may contain an identity or a token."""
    if isinstance(error, ClientError):
        return f"{error.operation_name} was refused with {error.response['Error']['Code']}"
    if isinstance(error, ApiException):
        return f"the cluster responded with {error.status}"
    return f"{error}" if isinstance(error, RuntimeError) else f"{type(error).__name__}"


def _permission(error: Exception) -> str:
    if isinstance(error, ClientError):
        return "Run it with AWS credentials that may read the stack and the cluster (docs/operate/doctor.md)."
    return "Check the connection, the kubeconfig and the stack."


def lines(results: Iterable[Finding]) -> Iterator[str]:
    """Yield a line for each finding, and one with its fix if there is something to do."""
    for each in results:
        yield f"{SYMBOLS[each.state]}  {each.name}: {each.found}"
        if each.fix and each.state != "ok":
            yield f"         {each.fix}"


def exit_code(results: Iterable[Finding]) -> int:
    """Return 0 if all checks hold, 1 if one failed, and 2 if one could not be made."""
    states = {each.state for each in results}
    return 1 if "failed" in states else 2 if "unknown" in states else 0
