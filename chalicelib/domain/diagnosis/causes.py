"""What a diagnosis can come to: the closed list of causes, what each rests on, and what to do about it."""

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
"""Why a Job is where it is. The list is closed; `Unknown` is what no other cause explains."""

REMEDIES: dict[Cause, str] = {
    "NoPodsQuota": "Wait until other Jobs of the Project end, delete one, or submit the Job again with less.",
    "NoPodsAdmission": "Change what the message names and submit the Job again; a policy of the cluster refuses its"
    " pods.",
    "UnschedulableResources": "Wait until other Jobs free what is missing, or submit the Job again with less.",
    "UnschedulableSelector": "Submit the Job again with a nodeType that the cluster has, or without one.",
    "UnschedulableTaint": "Wait, or ask your platform engineers: the nodes that would fit are kept for others or are"
    " being maintained.",
    "QueueWaiting": "Wait: the queue admits the Job when its turn comes.",
    "VolumeUnavailable": "Name in pvc a claim that exists in the Project and is bound, or ask your platform engineers"
    " for one.",
    "ImageNotFound": "Submit the Job again with an image name and tag that the registry has.",
    "ImageUnauthorized": "Use an image that the cluster may pull, or ask your platform engineers for access to the"
    " registry.",
    "ImageUnavailable": "Wait, the cluster tries again; if it lasts, ask your platform engineers whether its nodes"
    " reach the registry.",
    "ConfigMissing": "Name in environment a Secret and a key that exist in the Project, or ask your platform engineers"
    " for them.",
    "CannotStart": "Correct command, workingDir or runAsUid: the image has nothing there that could be started.",
    "OutOfMemory": "Submit the Job again with a higher memoryLimit, or let the program use less.",
    "ExitCode": "Read the log: the program itself ended with an error.",
    "DeadlineExceeded": "Submit the Job again with a higher maxRuntimeSeconds, and let it continue from a checkpoint.",
    "Evicted": "Ask for what the message names, such as more memory, or write less to the container's disk.",
    "Preempted": "Wait until there is room again, or submit the Job again without preemptible.",
    "NodeLost": "Wait, or delete the Job and submit it again: the node that it ran on does not answer.",
    "Suspended": "Resume the Job.",
    "Starting": "Wait: nothing is wrong so far.",
    "Running": "Nothing needs to be done: the Job runs.",
    "Succeeded": "Nothing needs to be done: the Job is complete.",
    "Terminating": "Wait until the Job is gone.",
    "Unknown": "Read the message and the Job's events; if they do not help, ask your platform engineers.",
}


class Finding(msgspec.Struct, frozen=True):
    """A *cause*, the object that shows it and the field there, what that says, and since when."""

    cause: Cause
    about: ObjectName
    place: str
    message: str
    since: datetime | None
