"""Run:ai's fields that this API does not support: a submission with one is rejected with the reason."""

UNSUPPORTED_FIELDS: dict[str, str] = {
    "allowPrivilegeEscalation": "privilege escalation is always prevented",
    "createHomeDir": "containers run as a user without a home directory; set HOME in environment",
    "elastic": "a Kubernetes Job has a fixed size; checkpoint and submit again with another parallelism",
    "gitSync": "clone the repository in the Job's command, with a credential from a Secret in environment",
    "gpuMemory": "GPUs are not shared; set gpu to a whole number",
    "hostIpc": "the IPC namespace of the node is shared with other teams' Jobs; for shared memory set largeShm",
    "hostNetwork": "the network of the node gives access to its credentials and to other teams' Jobs",
    "hostPid": "processes of the node must not be visible to Jobs",
    "isolationPolicy": "the Project's namespace sets the isolation",
    "jupyter": "notebook servers are not supported; set interactive, if you can connect to the pod by other means",
    "mountPropagation": "mounts of the node are not visible to Jobs",
    "mpi": "there is no MPI launcher; set nodes, and use torchrun or a similar launcher",
    "mps": "GPUs are not shared; set gpu to a whole number",
    "nfsServer": "an NFS server trusts any user ID; request a PersistentVolumeClaim and name it in pvc",
    "ports": "Jobs do not serve ports",
    "runAsUser": "set runAsUid to the ID of the user",
    "s3": "read the bucket in the Job's command, with a credential from a Secret in environment",
    "serviceType": "Jobs do not serve ports",
    "template": "this API has no templates; send every field",
    "user": "the user is the caller of the request, according to the bearer token",
    "volume": "directories of the node give access to other teams' files; name a PersistentVolumeClaim in pvc",
    "volumes": "an NFS server trusts any user ID; request a PersistentVolumeClaim and name it in pvc",
}
"""The reason for each field, which completes the message 'is not supported: ...'."""
