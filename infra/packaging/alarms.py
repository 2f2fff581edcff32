"""CloudWatch alarms for each function and for the API."""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]

PERIOD = 300
SLOW = 0.8
"""Fraction of the timeout; a p99 duration above it is likely to become a timeout."""
HOUR = 3600
EXPECTED_HOURS = {"Announce": 1, "Cleanup": 24}
"""Functions with a schedule, and the hours within which one run is expected."""
LONG_POLLING = frozenset({"GetJob", "ListJobs"})
"""Functions that wait as long as the caller requests, so their duration is not a sign of a problem."""

_ACTIONS = {"Fn::If": ["AlarmTopicGiven", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}


def function_alarms(logical_id: str, timeout: int) -> dict[str, JsonObject]:
    """Return the alarms of a function by logical ID.

    They are for errors, throttling, slowness unless the function waits for callers, and schedules.
    """
    metric = _lambda_metric(logical_id)
    always = {
        f"{logical_id}ErrorAlarm": _alarm(
            f"{logical_id} crashed, ran out of memory or timed out",
            {**metric, "MetricName": "Errors", "Statistic": "Sum", "Threshold": 0},
        ),
        f"{logical_id}ThrottleAlarm": _alarm(
            f"{logical_id} was not invoked, because its concurrency or that of the account is used up",
            {**metric, "MetricName": "Throttles", "Statistic": "Sum", "Threshold": 0},
        ),
    } | _schedule_alarms(logical_id)
    if logical_id in LONG_POLLING:
        return always
    return always | {
        f"{logical_id}SlowAlarm": _alarm(
            f"The p99 duration of {logical_id} is close to its timeout of {timeout} s",
            {**metric, "MetricName": "Duration", "ExtendedStatistic": "p99", "Threshold": int(timeout * 1000 * SLOW)},
        ),
    }


def _schedule_alarms(logical_id: str) -> dict[str, JsonObject]:
    """Return the alarms of a function with a schedule: it was not invoked for a while, or could not be invoked."""
    if logical_id not in EXPECTED_HOURS:
        return {}
    condition = {"Condition": "Announcing"} if logical_id == "Announce" else {}
    # Without invocations the metric has no data at all.
    silent = _alarm(
        f"{logical_id} has not run for {EXPECTED_HOURS[logical_id]} h",
        {**_lambda_metric(logical_id), "MetricName": "Invocations", "Statistic": "Sum", "Threshold": 1},
        ComparisonOperator="LessThanThreshold",
        TreatMissingData="breaching",
        Period=HOUR,
        EvaluationPeriods=EXPECTED_HOURS[logical_id],
    )
    rule = [{"Name": "RuleName", "Value": {"Ref": f"{logical_id}Rule"}}]
    failed = {"Namespace": "AWS/Events", "MetricName": "FailedInvocations", "Statistic": "Sum", "Dimensions": rule}
    return {
        f"{logical_id}SilentAlarm": silent | condition,
        f"{logical_id}RuleAlarm": _alarm(f"EventBridge cannot invoke {logical_id}", {**failed, "Threshold": 0})
        | condition,
    }


def _lambda_metric(logical_id: str) -> JsonObject:
    return {"Namespace": "AWS/Lambda", "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": logical_id}}]}


def api_alarm(api: str, api_name: JsonObject, stage: str) -> dict[str, JsonObject]:
    """Return the alarm for 5xx responses, from functions that did not crash or from API Gateway itself."""
    dimensions = [{"Name": "ApiName", "Value": api_name}, {"Name": "Stage", "Value": stage}]
    metric = {"Namespace": "AWS/ApiGateway", "MetricName": "5XXError", "Dimensions": dimensions}
    return {
        f"{api}FailureAlarm": _alarm("The API returns 5xx responses", {**metric, "Statistic": "Sum", "Threshold": 5})
    }


def _alarm(description: str, metric: JsonObject, **changed: object) -> JsonObject:
    common = {
        "AlarmDescription": description,
        "AlarmActions": _ACTIONS,
        "OKActions": _ACTIONS,
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "Period": PERIOD,
        "TreatMissingData": "notBreaching",
    }
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": {**metric, **common, **changed}}
