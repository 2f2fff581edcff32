"""The closed list of causes of a diagnosis, with examples and remedies."""

from __future__ import annotations

from typing import Literal

import msgspec

Cause = Literal[
    "NoPodsQuota",
    "NoPodsAdmission",
    "UnschedulableResources",
    "UnschedulableSelector",
    "UnschedulableTaint",
    "QueueWaiting",
    "QueueRequired",
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
    "Incomplete",
    "Suspended",
    "Starting",
    "Running",
    "Succeeded",
    "Terminating",
    "Unknown",
]
"""The cause of a Job's current state. The list is closed; `Unknown` is for states that no other cause explains."""


class Explanation(msgspec.Struct, frozen=True):
    """What a cause means, an example of its evidence, and the remedy while the Job runs and after it has ended."""

    meaning: str
    example: str
    remedy: str
    remedy_after_end: str = ""
    """Empty: the same."""


_RESUBMIT = "Submit the Job again"
EXPLANATIONS: dict[Cause, Explanation] = {
    "NoPodsQuota": Explanation(
        "The Project's ResourceQuota does not allow the Job's pods.",
        'pods "train-1-" is forbidden: exceeded quota: team-a, requested: requests.nvidia.com/gpu=8, used: ...',
        "Wait until other Jobs of the Project finish, delete one, or submit the Job again with lower requests.",
        f"{_RESUBMIT} with lower requests, or when other Jobs of the Project have finished.",
    ),
    "NoPodsAdmission": Explanation(
        "A policy, a webhook or the API server refuses the Job's pods.",
        'admission webhook "images.example.com" denied the request: images must come from registry.example.com',
        "A policy of the cluster refuses the Job's pods: change what the message names and submit the Job again.",
    ),
    "UnschedulableResources": Explanation(
        "No node has the requested GPUs, CPU, memory or pods free.",
        "0/4 nodes are available: 4 Insufficient nvidia.com/gpu.",
        "Wait until other Jobs free the resources, or submit the Job again with lower requests.",
        f"{_RESUBMIT}: the node did not have the resources that the scheduler expected.",
    ),
    "UnschedulableSelector": Explanation(
        "No node matches the Job's nodeType.",
        "0/4 nodes are available: 4 node(s) didn't match Pod's node affinity/selector.",
        "Submit the Job again with a nodeType that the cluster has, or without one.",
    ),
    "UnschedulableTaint": Explanation(
        "The nodes that would fit are tainted or cordoned.",
        "0/4 nodes are available: 4 node(s) had untolerated taint {maintenance: true}.",
        "Wait, or ask your platform engineers: the nodes that would fit are reserved for other workloads or are under"
        " maintenance.",
        f"{_RESUBMIT}, or ask your platform engineers which nodes it may use.",
    ),
    "QueueWaiting": Explanation(
        "The Job's queue has not admitted it, or a scheduling gate holds its pods.",
        "The queue gpus has not admitted the Job.",
        "Wait until the queue admits the Job.",
        f"{_RESUBMIT}, and allow for the time in the queue.",
    ),
    "QueueRequired": Explanation(
        "Kueue suspends every Job without a queue.",
        "Kueue holds the Job, which names no queue.",
        "Submit the Job again with a queue: resuming it has no effect.",
    ),
    "VolumeUnavailable": Explanation(
        "A volume of the Job does not exist, is not bound, or cannot be attached or mounted.",
        'persistentvolumeclaim "datasets" not found',
        "Name in pvc a claim that exists in the Project and is bound, or ask your platform engineers for one.",
    ),
    "ImageNotFound": Explanation(
        "The registry has no such image, tag or platform, or the image name is invalid.",
        'failed to resolve reference "registry.example.com/train:v3": registry.example.com/train:v3: not found',
        "Submit the Job again with an image name and tag that the registry has.",
    ),
    "ImageUnauthorized": Explanation(
        "The registry refuses the pull.",
        "pull access denied, repository does not exist or may require authorization",
        "Use an image that the cluster may pull, or ask your platform engineers for access to the registry.",
    ),
    "ImageUnavailable": Explanation(
        "The registry cannot be reached, fails, or limits the rate of pulls.",
        "toomanyrequests: You have reached your pull rate limit.",
        "Wait: the cluster retries the pull; if it keeps failing, ask your platform engineers whether the nodes can"
        " reach the registry.",
        f"{_RESUBMIT}; if the pull fails again, ask your platform engineers whether the nodes can reach the registry.",
    ),
    "ConfigMissing": Explanation(
        "A Secret, a ConfigMap or a key in it that the Job references does not exist.",
        'secret "huggingface" not found',
        "Name in environment a Secret and a key that exist in the Project, or ask your platform engineers for them.",
    ),
    "CannotStart": Explanation(
        "The container runtime cannot start the program.",
        'exec: "training.py": executable file not found in $PATH',
        "Correct command, workingDir or runAsUid: the container runtime cannot start the program.",
    ),
    "OutOfMemory": Explanation(
        "The program used more memory than its limit.",
        "The container ended with exit code 137.",
        "Submit the Job again with a higher memoryLimit, or reduce the memory usage of the program.",
    ),
    "ExitCode": Explanation(
        "The program exited with an error.",
        "The container ended with exit code 1.",
        "Read the log: the program exited with an error.",
    ),
    "DeadlineExceeded": Explanation(
        "The Job ran longer than its maxRuntimeSeconds.",
        "Job was active longer than specified deadline",
        "Submit the Job again with a higher maxRuntimeSeconds, and resume from a checkpoint.",
    ),
    "Evicted": Explanation(
        "The node or an administrator evicted the pod.",
        "The node was low on resource: ephemeral-storage.",
        "Request more of the resource that the message names, such as memory, or write less to the container's disk.",
    ),
    "Preempted": Explanation(
        "A pod with a higher priority took the place of the pod.",
        "Preempted by pod 5e0a on node gpu-3",
        "Wait until there is capacity again, or submit the Job again without preemptible.",
        f"{_RESUBMIT} when there is capacity, or without preemptible.",
    ),
    "NodeLost": Explanation(
        "The pod's node does not respond, was shut down, or cannot run the pod because of a fault of its own.",
        "Node is not ready",
        "Wait, or delete the Job and submit it again: its node does not respond or is faulty.",
        f"{_RESUBMIT}: its node failed; if that happens again, ask your platform engineers to look at the node.",
    ),
    "Incomplete": Explanation(
        "The creation of a multi-node Job was interrupted.",
        "The Job has no Service yet.",
        "Repeat the request that created the Job, or delete the Job.",
    ),
    "Suspended": Explanation("The Job is suspended.", "The Job is suspended.", "Resume the Job."),
    "Starting": Explanation(
        "The Job has been starting for less than ten minutes.",
        "Its container is being created on gpu-3.",
        "Wait: the Job is starting, without errors so far.",
    ),
    "Running": Explanation(
        "The Job is running.", "It is running on gpu-3.", "No action is needed: the Job is running."
    ),
    "Succeeded": Explanation(
        "The Job has completed.", "CompletionsReached", "No action is needed: the Job has completed."
    ),
    "Terminating": Explanation(
        "The Job is being deleted.", "The Job is being deleted.", "Wait until the Job is deleted."
    ),
    "Unknown": Explanation(
        "No other cause explains the state.",
        "Failed to create pod sandbox: failed to assign an IP address to container",
        "Read the message and the Job's events; if they do not explain it, ask your platform engineers.",
    ),
}
"""By cause. The reference documentation is generated from this table."""
