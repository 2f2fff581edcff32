"""The CloudWatch dashboard of the stack: requests, responses and durations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chalice.utils import to_cfn_resource_name as logical_id

from chalicelib.runtime.request_log import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Sequence

JsonObject = dict[str, Any]

PERIOD = 300
WIDTH, HEIGHT = 12, 6
"""Size of a widget; a dashboard is 24 units wide."""

_FUNCTION_NAME = "${{{}}}"
"""The generated name of a function, as a template variable."""


def dashboard(functions: Sequence[str], api_name: str, stage: str) -> JsonObject:
    """Return the dashboard; *functions* are the names in .chalice/config.json, *api_name* the name in the metrics."""
    api: list[str] = ["AWS/ApiGateway", "ApiName", api_name, "Stage", stage]
    names = {name: _FUNCTION_NAME.format(logical_id(name)) for name in functions}
    widgets = [
        _widget("Requests", [_series(api, metric) for metric in ("Count", "4XXError", "5XXError")], "Sum"),
        _widget(
            "Latency in milliseconds, p50 and p99",
            [_series(api, "Latency", percentile) for percentile in ("p50", "p99")],
            "p50",
        ),
        _widget("Duration of each function in milliseconds, p99", _lambda_series("Duration", names), "p99"),
        _widget("Crashes, timeouts and out-of-memory errors", _lambda_series("Errors", names), "Sum"),
        _widget("Throttled by Lambda", _lambda_series("Throttles", names), "Sum"),
        _widget("Concurrent executions", _lambda_series("ConcurrentExecutions", names), "Maximum"),
        _widget("5xx responses by the functions' own metrics", _own_series("Failures", functions), "Sum"),
        _widget("Milliseconds by the functions' own metrics, p99", _own_series("Milliseconds", functions), "p99"),
    ]
    positioned = [
        {**widget, "x": index % 2 * WIDTH, "y": index // 2 * HEIGHT, "width": WIDTH, "height": HEIGHT}
        for index, widget in enumerate(widgets)
    ]
    return {
        "Type": "AWS::CloudWatch::Dashboard",
        "Properties": {
            # Dashboards are global in an account, stacks are not.
            "DashboardName": {"Fn::Sub": "${AWS::StackName}-${AWS::Region}"},
            "DashboardBody": {"Fn::Sub": json.dumps({"widgets": positioned})},
        },
    }


def _lambda_series(metric: str, names: dict[str, str]) -> list[list[object]]:
    return [["AWS/Lambda", metric, "FunctionName", name, {"label": label}] for label, name in names.items()]


def _own_series(metric: str, functions: Sequence[str]) -> list[list[object]]:
    return [[NAMESPACE, metric, "stack", "${AWS::StackName}", "function", name] for name in functions]


def _series(metric_key: list[str], metric: str, statistic: str = "Sum") -> list[object]:
    namespace, *dimensions = metric_key
    return [namespace, metric, *dimensions, {"stat": statistic, "label": f"{metric} {statistic}"}]


def _widget(title: str, metrics: list[list[object]], statistic: str) -> JsonObject:
    properties = {"title": title, "metrics": metrics, "stat": statistic, "period": PERIOD, "region": "${AWS::Region}"}
    return {"type": "metric", "properties": {**properties, "view": "timeSeries"}}
