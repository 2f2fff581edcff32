"""CloudWatch alarms for each function and for the API."""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]

PERIOD = 300
SLOW = 0.8
"""Of a function's time: a p99 beyond it is a time-out to come."""
WAITING = frozenset({"GetJob"})
"""Functions that take as long as they are asked to wait: that they come near their time tells nothing."""

_ACTIONS = {"Fn::If": ["AlarmTopicGiven", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}


def function_alarms(logical_id: str, timeout: int) -> dict[str, JsonObject]:
    """Resources by logical id: that the function crashes or ends late and, unless it waits, comes near to that."""
    dimensions = [{"Name": "FunctionName", "Value": {"Ref": logical_id}}]
    metric = {"Namespace": "AWS/Lambda", "Dimensions": dimensions}
    error = {
        f"{logical_id}ErrorAlarm": _alarm(
            f"{logical_id} crashed, ran out of memory or out of time",
            {**metric, "MetricName": "Errors", "Statistic": "Sum", "Threshold": 0},
        )
    }
    if logical_id in WAITING:
        return error
    return error | {
        f"{logical_id}SlowAlarm": _alarm(
            f"{logical_id} comes near its time-out of {timeout} s",
            {**metric, "MetricName": "Duration", "ExtendedStatistic": "p99", "Threshold": int(timeout * 1000 * SLOW)},
        ),
    }


def api_alarm(api: str, api_name: JsonObject, stage: str) -> dict[str, JsonObject]:
    """That callers are answered 5xx, by functions that did not crash or by API Gateway itself."""
    dimensions = [{"Name": "ApiName", "Value": api_name}, {"Name": "Stage", "Value": stage}]
    metric = {"Namespace": "AWS/ApiGateway", "MetricName": "5XXError", "Dimensions": dimensions}
    return {f"{api}FailureAlarm": _alarm("The API answers 5xx", {**metric, "Statistic": "Sum", "Threshold": 5})}


def _alarm(description: str, metric: JsonObject) -> JsonObject:
    rest = {
        "AlarmDescription": description,
        "AlarmActions": _ACTIONS,
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "Period": PERIOD,
        "TreatMissingData": "notBreaching",
    }
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": {**metric, **rest}}
