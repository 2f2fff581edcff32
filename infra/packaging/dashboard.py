"""The stack's CloudWatch dashboard: what is asked, how it is answered, and how long it takes."""

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
"""Of a widget; a dashboard is 24 wide."""

_NAMED = "${{{}}}"
"""A function's name, which only its stack knows."""


def dashboard(functions: Sequence[str], api_name: str, stage: str) -> JsonObject:
    """The resource; *functions* are their names in .chalice/config.json, *api_name* what metrics call the API."""
    api: list[str] = ["AWS/ApiGateway", "ApiName", api_name, "Stage", stage]
    named = {name: _NAMED.format(logical_id(name)) for name in functions}
    widgets = [
        _widget("Requests", [_series(api, metric) for metric in ("Count", "4XXError", "5XXError")], "Sum"),
        _widget("Milliseconds to answer, p50 and p99", [_series(api, "Latency", at) for at in ("p50", "p99")], "p50"),
        _widget("Milliseconds of each function, p99", _of_lambda("Duration", named), "p99"),
        _widget("Crashes, time-outs and memory", _of_lambda("Errors", named), "Sum"),
        _widget("Throttled by Lambda", _of_lambda("Throttles", named), "Sum"),
        _widget("Functions at once", _of_lambda("ConcurrentExecutions", named), "Maximum"),
        _widget("Answers with 5xx, by our own count", _of_ours("Failures", functions), "Sum"),
        _widget("Milliseconds by our own clock, p99", _of_ours("Milliseconds", functions), "p99"),
    ]
    placed = [
        {**widget, "x": place % 2 * WIDTH, "y": place // 2 * HEIGHT, "width": WIDTH, "height": HEIGHT}
        for place, widget in enumerate(widgets)
    ]
    return {
        "Type": "AWS::CloudWatch::Dashboard",
        "Properties": {
            "DashboardName": {"Ref": "AWS::StackName"},
            "DashboardBody": {"Fn::Sub": json.dumps({"widgets": placed})},
        },
    }


def _of_lambda(metric: str, named: dict[str, str]) -> list[list[object]]:
    return [["AWS/Lambda", metric, "FunctionName", name, {"label": label}] for label, name in named.items()]


def _of_ours(metric: str, functions: Sequence[str]) -> list[list[object]]:
    return [[NAMESPACE, metric, "function", name] for name in functions]


def _series(place: list[str], metric: str, statistic: str = "Sum") -> list[object]:
    namespace, *dimensions = place
    return [namespace, metric, *dimensions, {"stat": statistic, "label": f"{metric} {statistic}"}]


def _widget(title: str, metrics: list[list[object]], statistic: str) -> JsonObject:
    shown = {"title": title, "metrics": metrics, "stat": statistic, "period": PERIOD, "region": "${AWS::Region}"}
    return {"type": "metric", "properties": {**shown, "view": "timeSeries"}}
