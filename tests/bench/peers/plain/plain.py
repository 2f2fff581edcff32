"""A peer: the same lists, decoded as a whole by json."""

from __future__ import annotations

import json
from datetime import datetime

from direct import send


def view(job: dict) -> dict:
    """Return a Job as it is in a response."""
    meta, spec, status = job["metadata"], job["spec"], job.get("status", {})
    return {
        "id": meta["uid"],
        "name": meta["name"],
        "createdAt": int(datetime.fromisoformat(meta["creationTimestamp"]).timestamp() * 1000),
        "images": ", ".join(container["image"] for container in spec["template"]["spec"]["containers"]),
        "labels": meta.get("labels", {}),
        "active": status.get("active", 0),
        "conditions": [condition["type"] for condition in status.get("conditions", [])],
    }


def walk(request: dict[str, str]) -> int:
    """Return the number of Jobs in the list, which is read in one request."""
    _, body = send("GET", request["path"], [("Accept", "application/json")])
    response = json.dumps({"data": [view(job) for job in json.loads(body)["items"]]})
    return response.count('"images":')
