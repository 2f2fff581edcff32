"""The causes that a diagnosis can report, and the remedy for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from datetime import datetime

    from chalicelib.domain.job.event_list import ObjectName

Cause = Literal[
    "NoPodsQuota",
    "NoPodsAdmission",
    "UnschedulableResources",
    "UnschedulableSelector",
    "UnschedulableTaint",
    "QueueWaiting",
    "VolumeUnavailable",
    "ImageNotFound",
    "ImageUnauthorized",
    "ImageUnavailable",
    "ConfigMissing",
    "CannotStart",
    "OutOfMemory",
    "ExitCode",
    "DeadlineExceeded",
    "Evicted",
    "Preempted",
    "NodeLost",
    "Suspended",
    "Starting",
    "Running",
    "Succeeded",
    "Terminating",
    "Unknown",
]
"""The cause of a Job's current state. The list is closed; `Unknown` is for states that no other cause explains."""

REMEDIES: dict[Cause, str] = {
    "NoPodsQuota": "Wait until other Jobs of the Project finish, delete one, or submit the Job again with lower"
    " requests.",
    "NoPodsAdmission": "A policy of the cluster refuses the Job's pods: change what the message names and submit the"
    " Job again.",
    "UnschedulableResources": "Wait until other Jobs free the resources, or submit the Job again with lower requests.",
    "UnschedulableSelector": "Submit the Job again with a nodeType that the cluster has, or without one.",
    "UnschedulableTaint": "Wait, or ask your platform engineers: the nodes that would fit are reserved for other"
    " workloads or are under maintenance.",
    "QueueWaiting": "Wait until the queue admits the Job.",
    "VolumeUnavailable": "Name in pvc a claim that exists in the Project and is bound, or ask your platform engineers"
    " for one.",
    "ImageNotFound": "Submit the Job again with an image name and tag that the registry has.",
    "ImageUnauthorized": "Use an image that the cluster may pull, or ask your platform engineers for access to the"
    " registry.",
    "ImageUnavailable": "Wait: the cluster retries the pull; if it keeps failing, ask your platform engineers whether"
    " the nodes can reach the registry.",
    "ConfigMissing": "Name in environment a Secret and a key that exist in the Project, or ask your platform engineers"
    " for them.",
    "CannotStart": "Correct command, workingDir or runAsUid: the container runtime cannot start the program.",
    "OutOfMemory": "Submit the Job again with a higher memoryLimit, or reduce the memory usage of the program.",
    "ExitCode": "Read the log: the program exited with an error.",
    "DeadlineExceeded": "Submit the Job again with a higher maxRuntimeSeconds, and resume from a checkpoint.",
    "Evicted": "Request more of the resource that the message names, such as memory, or write less to the container's"
    " disk.",
    "Preempted": "Wait until there is capacity again, or submit the Job again without preemptible.",
    "NodeLost": "Wait, or delete the Job and submit it again: its node does not respond.",
    "Suspended": "Resume the Job.",
    "Starting": "Wait: the Job is starting, without errors so far.",
    "Running": "No action is needed: the Job is running.",
    "Succeeded": "No action is needed: the Job has completed.",
    "Terminating": "Wait until the Job is deleted.",
    "Unknown": "Read the message and the Job's events; if they do not explain it, ask your platform engineers.",
}


class Finding(msgspec.Struct, frozen=True):
    """A cause with its evidence: an object, the field that shows the cause, its message, and since when it applies."""

    cause: Cause
    object: ObjectName
    field_path: str
    message: str
    since: datetime | None
