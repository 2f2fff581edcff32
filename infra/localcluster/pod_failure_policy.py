"""The podFailurePolicy of a Job: the first rule that matches a failed pod decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from infra.localcluster.kinds import Document


class RuleMatch(NamedTuple):
    """The action for a failure (Count, Ignore, FailIndex or FailJob), and the message if it fails the Job."""

    action: str
    message: str = ""


def matching_rule(job: Document, pod: Document) -> RuleMatch:
    """Return the action of *job* for the failed *pod*."""
    for number, rule in enumerate(job["spec"].get("podFailurePolicy", {}).get("rules", ())):
        description = _matching_exit(rule, pod) if "onExitCodes" in rule else _matching_condition(rule, pod)
        if description:
            return RuleMatch(rule["action"], f"{description} matching {rule['action']} rule at index {number}")
    return RuleMatch("Count")


def _matching_exit(rule: Document, pod: Document) -> str:
    """Return a description of the container of *pod* that matches *rule*, or an empty string."""
    exit_codes = rule["onExitCodes"]
    status = pod["status"]
    for container in (*status.get("containerStatuses", ()), *status.get("initContainerStatuses", ())):
        code = container["state"].get("terminated", {}).get("exitCode", 0)
        named = exit_codes.get("containerName") in (None, container["name"])
        if named and code and (code in exit_codes["values"]) == (exit_codes["operator"] == "In"):
            return f"Container {container['name']} for pod {_name(pod)} failed with exit code {code}"
    return ""


def _matching_condition(rule: Document, pod: Document) -> str:
    """Return a description of the condition of *pod* that matches *rule*, or an empty string."""
    patterns = [(each["type"], each.get("status", "True")) for each in rule.get("onPodConditions", ())]
    for condition in pod["status"].get("conditions", ()):
        if (condition["type"], condition["status"]) in patterns:
            return f"Pod {_name(pod)} has condition {condition['type']}"
    return ""


def _name(pod: Document) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
