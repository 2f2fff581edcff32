"""What a Job makes of a failed pod, by its podFailurePolicy: the first rule that fits decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from infra.localcluster.kinds import Document


class RuleMatch(NamedTuple):
    """What is done about a failure: Count, Ignore, FailIndex or FailJob; and why, where it ends the Job."""

    action: str
    message: str = ""


def matching_rule(job: Document, pod: Document) -> RuleMatch:
    """What *job* makes of *pod*, which failed."""
    for number, rule in enumerate(job["spec"].get("podFailurePolicy", {}).get("rules", ())):
        what = _exit(rule, pod) if "onExitCodes" in rule else _condition(rule, pod)
        if what:
            return RuleMatch(rule["action"], f"{what} matching {rule['action']} rule at index {number}")
    return RuleMatch("Count")


def _exit(rule: Document, pod: Document) -> str:
    """Which container of *pod* ended as *rule* says."""
    wanted = rule["onExitCodes"]
    for container in pod["status"].get("containerStatuses", ()):
        code = container["state"].get("terminated", {}).get("exitCode", 0)
        named = wanted.get("containerName") in (None, container["name"])
        if named and code and (code in wanted["values"]) == (wanted["operator"] == "In"):
            return f"Container {container['name']} for pod {_name(pod)} failed with exit code {code}"
    return ""


def _condition(rule: Document, pod: Document) -> str:
    """Which condition of *pod* is one of those in *rule*."""
    wanted = [(one["type"], one.get("status", "True")) for one in rule.get("onPodConditions", ())]
    for condition in pod["status"].get("conditions", ()):
        if (condition["type"], condition["status"]) in wanted:
            return f"Pod {_name(pod)} has condition {condition['type']}"
    return ""


def _name(pod: Document) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
