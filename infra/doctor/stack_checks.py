"""Checks of the stack: its status, the bucket, the schedules, the alarms and the failure queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from infra.doctor.finding import check, failed, ok

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.doctor.finding import Finding
    from infra.doctor.target import Target

PREFIX = "submit/"
REDEPLOY = "Run make deploy again: it restores what was changed by hand."


def credentials(target: Target) -> Iterator[Finding]:
    """Check that the operator's AWS credentials are accepted."""
    account = target.aws.call("sts", "get_caller_identity")["Account"]
    yield ok("credentials", f"AWS account {account}")


def stack(target: Target) -> Iterator[Finding]:
    """Check that the last deployment of the stack has succeeded."""
    status = target.aws.stack["StackStatus"] if target.aws.stack else "MISSING"
    good = status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    fix = "aws cloudformation describe-stack-events shows what failed first; correct it and deploy again."
    yield ok("stack", status) if good else failed("stack", f"The stack is in the state {status}.", fix)


def bucket(target: Target) -> Iterator[Finding]:
    """Check that the bucket has versions, notifies the function of uploads, and rejects plain HTTP."""
    name, aws = target.aws.output("UploadsBucketName"), target.aws
    versioning = aws.call("s3", "get_bucket_versioning", Bucket=name).get("Status")
    yield check(
        "bucket-versioning",
        "enabled",
        [] if versioning == "Enabled" else ["Versioning is off, so an upload that is overwritten is lost"],
        f"aws s3api put-bucket-versioning --bucket {name} --versioning-configuration Status=Enabled",
    )
    notified = aws.call("s3", "get_bucket_notification_configuration", Bucket=name)
    function = aws.output("SubmitUploadName")
    problems = [] if _is_notified(notified, function) else [f"Objects below {PREFIX} do not invoke {function}"]
    yield check("bucket-notification", f"{PREFIX} invokes {function}", problems, REDEPLOY)
    problems = [] if _rejects_plain_http(_policy(target, name)) else ["The bucket accepts requests without TLS"]
    yield check("bucket-policy", "TLS only", problems, REDEPLOY)


def _is_notified(notified: dict[str, Any], function: str) -> bool:
    for each in notified.get("LambdaFunctionConfigurations", []):
        rules = each.get("Filter", {}).get("Key", {}).get("FilterRules", [])
        prefixes = [rule["Value"] for rule in rules if rule["Name"].lower() == "prefix"]
        created = any(event.startswith("s3:ObjectCreated:*") for event in each["Events"])
        if created and PREFIX in prefixes and function in each["LambdaFunctionArn"].split(":"):
            return True
    return False


def _policy(target: Target, name: str) -> dict[str, Any]:
    try:
        return dict(json.loads(target.aws.call("s3", "get_bucket_policy", Bucket=name)["Policy"]))
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucketPolicy":
            return {"Statement": []}
        raise


def _rejects_plain_http(policy: dict[str, Any]) -> bool:
    return any(
        each["Effect"] == "Deny" and "false" in json.dumps(each.get("Condition", {}).get("Bool", {})).lower()
        for each in policy["Statement"]
    )


def schedules(target: Target) -> Iterator[Finding]:
    """Check that the rules of the scheduled functions are enabled and invoke them."""
    announcing = target.aws.parameters.get("AnnounceFinished", "true") == "true"
    problems = []
    for name in target.aws.resources.get("AWS::Events::Rule", []):
        rule = target.aws.call("events", "describe_rule", Name=name)
        targets = target.aws.call("events", "list_targets_by_rule", Rule=name)["Targets"]
        if not targets:
            problems.append(f"The rule {name} has no target")
        if rule["State"] != "ENABLED" and (announcing or "Announce" not in name):
            problems.append(f"The rule {name} is disabled, so its function does not run")
    yield check("schedules", "enabled", problems, f"aws events enable-rule --name <rule>. {REDEPLOY}")


def alarms(target: Target) -> Iterator[Finding]:
    """Check that all alarms of the stack exist, notify a topic, and are not raised."""
    names = target.aws.resources.get("AWS::CloudWatch::Alarm", [])
    found = {each["AlarmName"]: each for each in target.aws.pages("cloudwatch", "describe_alarms", "MetricAlarms")}
    missing = [f"The alarm {name} was deleted" for name in names if name not in found]
    yield check("alarms", f"{len(names)} alarms", missing, REDEPLOY)
    raised = [f"The alarm {name} is raised" for name in names if found.get(name, {}).get("StateValue") == "ALARM"]
    yield check("alarms-raised", "none", raised, "docs/operate/monitoring.md says what to look at for each alarm.")
    silent = [name for name in names if name in found and not found[name].get("AlarmActions")]
    problems = [f"{len(silent)} alarms notify no topic"] if silent else []
    yield check("alarm-topic", "set", problems, "Set the parameter AlarmTopicArn to an SNS topic, and deploy again.")


def failed_uploads(target: Target) -> Iterator[Finding]:
    """Check that no upload waits in the failure queue."""
    queue = target.aws.output("UploadFailuresUrl")
    wanted = "ApproximateNumberOfMessages"
    attributes = target.aws.call("sqs", "get_queue_attributes", QueueUrl=queue, AttributeNames=[wanted])
    count = int(attributes["Attributes"][wanted])
    fix = "Their status objects say why; then send them again with infra.commands.replay_uploads."
    yield check("failed-uploads", "none", [f"{count} uploads wait in the failure queue"] if count else [], fix)
