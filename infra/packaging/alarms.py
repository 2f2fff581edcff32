"""CloudWatch alarms for each function and for the API."""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]

PERIOD = 300
SLOW = 0.8
"""Fraction of the timeout; a p99 duration above it is likely to become a timeout."""
LONG_POLLING = frozenset({"GetJob", "ListJobs"})
"""Functions that wait as long as the caller requests, so their duration is not a sign of a problem."""

_ACTIONS = {"Fn::If": ["AlarmTopicGiven", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}


def function_alarms(logical_id: str, timeout: int) -> dict[str, JsonObject]:
    """Return the alarms of a function by logical ID: errors and, unless the function waits for callers, slowness."""
    dimensions = [{"Name": "FunctionName", "Value": {"Ref": logical_id}}]
    metric = {"Namespace": "AWS/Lambda", "Dimensions": dimensions}
    error = {
        f"{logical_id}ErrorAlarm": _alarm(
            f"{logical_id} crashed, ran out of memory or timed out",
            {**metric, "MetricName": "Errors", "Statistic": "Sum", "Threshold": 0},
        )
    }
    if logical_id in LONG_POLLING:
        return error
    return error | {
        f"{logical_id}SlowAlarm": _alarm(
            f"The p99 duration of {logical_id} is close to its timeout of {timeout} s",
            {**metric, "MetricName": "Duration", "ExtendedStatistic": "p99", "Threshold": int(timeout * 1000 * SLOW)},
        ),
    }


def api_alarm(api: str, api_name: JsonObject, stage: str) -> dict[str, JsonObject]:
    """Return the alarm for 5xx responses, from functions that did not crash or from API Gateway itself."""
    dimensions = [{"Name": "ApiName", "Value": api_name}, {"Name": "Stage", "Value": stage}]
    metric = {"Namespace": "AWS/ApiGateway", "MetricName": "5XXError", "Dimensions": dimensions}
    return {
        f"{api}FailureAlarm": _alarm("The API returns 5xx responses", {**metric, "Statistic": "Sum", "Threshold": 5})
    }


def _alarm(description: str, metric: JsonObject) -> JsonObject:
    common = {
        "AlarmDescription": description,
        "AlarmActions": _ACTIONS,
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "Period": PERIOD,
        "TreatMissingData": "notBreaching",
    }
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": {**metric, **common}}
