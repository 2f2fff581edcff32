"""Run:ai's fields that this API does not support: a submission with one is rejected with the reason."""

UNSUPPORTED_FIELDS: dict[str, str] = {
    "allowPrivilegeEscalation": "privilege escalation is always prevented",
    "createHomeDir": "containers run as a numbered user without a home directory; set HOME in environment",
    "elastic": "a Kubernetes Job has a fixed size; checkpoint and submit again with another parallelism",
    "gitSync": "clone in the Job's command; keep the credential in a Secret and name it in environment",
    "gpuMemory": "GPUs are given out whole; set gpu to a whole number",
    "hostIpc": "sharing the node's IPC namespace would reach other teams' Jobs; for shared memory set largeShm",
    "hostNetwork": "the node's network would reach its credentials and other teams' Jobs",
    "hostPid": "the node's processes are not the Job's",
    "isolationPolicy": "the Project's namespace sets the isolation",
    "jupyter": "a notebook server is no Job; submit its image with interactive set, if you reach it otherwise",
    "mountPropagation": "mounts of the node are not visible to Jobs",
    "mpi": "there is no MPI launcher; set nodes, and start with torchrun or alike",
    "mps": "GPUs are given out whole; set gpu to a whole number",
    "nfsServer": "an NFS server trusts any user number; ask for a PersistentVolumeClaim and name it in pvc",
    "ports": "a Job serves no ports",
    "runAsUser": "set runAsUid to the number of the user",
    "s3": "read the bucket in the Job's command, with a credential from a Secret in environment",
    "serviceType": "a Job serves no ports",
    "template": "Run:ai's templates do not exist here; send every field",
    "user": "the user is the caller that the bearer token names",
    "volume": "directories of the node would reach other teams' files; name a PersistentVolumeClaim in pvc",
    "volumes": "an NFS server trusts any user number; ask for a PersistentVolumeClaim and name it in pvc",
}
"""The reason for each field, which completes the message 'is not supported: ...'."""
