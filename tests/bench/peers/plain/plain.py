"""A peer: the same lists through json, in full, and what is shown of each Job."""

from __future__ import annotations

import json
from datetime import datetime

from direct import sent


def shown(job: dict) -> dict:
    """A Job as it is answered."""
    meta, spec, status = job["metadata"], job["spec"], job.get("status", {})
    return {
        "id": meta["uid"],
        "name": meta["name"],
        "createdAt": int(datetime.fromisoformat(meta["creationTimestamp"]).timestamp() * 1000),
        "images": ", ".join(container["image"] for container in spec["template"]["spec"]["containers"]),
        "labels": meta.get("labels", {}),
        "active": status.get("active", 0),
        "conditions": [one["type"] for one in status.get("conditions", [])],
    }


def walk(asked: dict[str, str]) -> int:
    """How many Jobs the list has; it is read whole."""
    _, body = sent("GET", asked["path"], [("Accept", "application/json")])
    answer = json.dumps({"data": [shown(job) for job in json.loads(body)["items"]]})
    return answer.count('"images":')
