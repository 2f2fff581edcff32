"""The fields of other tools for which people look here: Kubernetes, Run:ai, AWS Batch, SkyPilot, dstack, Slurm, Ray.

Imported only when a submission is refused. Names are compared without case and punctuation, as `suggestions.plain`
returns them: `jobName`, `job_name` and `--job-name` are all `jobname`.
"""

from __future__ import annotations

_MEANT: dict[str, str] = {
    "annotations": "annotation jobannotations podannotations metadataannotations",
    "arguments": "args arg argument argv cmdargs parameters params programargs scriptargs",
    "backoffLimit": "retries maxretries retrycount maxrestarts restarts numretries attempts retrystrategy maxretry "
    "maxattempts backoff maxfailures jobrecovery restartcount podfailurelimit",
    "backoffLimitPerIndex": "retriesperindex backoffperindex",
    "command": "cmd commands run entrypoint exec runcommand startcommand containercommand jobcommand program "
    "executable shellcommand",
    "script": "bashscript shellscript runscript scriptbody",
    "completions": "arraysize numtasks tasks totalpods array arrayproperties successcount",
    "cpu": "cpus cpurequest cores numcpus vcpu vcpus cpuspertask ncpus corerequest cpucorerequest cpucores "
    "entrypointnumcpus cpucount requestcpu",
    "cpuLimit": "cpulimits maxcpu corelimit cpucorelimit limitcpu",
    "environment": "env envs envvar envvars envvariable environmentvariable environmentvariables vars variables "
    "envfrom envfile export secrets",
    "gpu": "gpus numgpus gpucount ngpus ngpu gpurequest gpudevicesrequest gpuspernode gpuspertask nvidiacomgpu "
    "accelerators accelerator acceleratorcount resourcesgpu gres requestgpu gpulimit gpuportionrequest "
    "entrypointnumgpus numgpusperworker devices gpusperpod",
    "image": "imagename dockerimage containerimage imageid imageuri container img imageurl baseimage repository",
    "imagePullPolicy": "pullpolicy imagepull",
    "indexed": "completionmode indexedjob arrayjob",
    "interactive": "isinteractive attach",
    "jobNamePrefix": "nameprefix prefix generatename jobprefix",
    "labels": "label tags tag joblabels podlabels",
    "largeShm": "shm shmsize sharedmemory sharedmemorysize ipc devshm largesharedmemory",
    "maxFailedIndexes": "failedindexes maxfailed",
    "maxRuntimeSeconds": "activedeadlineseconds timeout deadline maxruntime maxduration timelimit walltime time "
    "timeoutseconds runtimelimit maxtime terminateafterpreemption runtime attemptdurationseconds",
    "memory": "mem ram memorymb memorygb cpumemory cpumemoryrequest memoryrequest mempercpu requestmemory memmb "
    "entrypointmemory",
    "memoryLimit": "memlimit cpumemorylimit maxmemory limitmemory",
    "name": "jobname metadataname workloadname displayname runname title taskname submissionid id jobid",
    "nodes": "numnodes nnodes nodecount workers numworkers numreplicas worldsize workercount",
    "nodeType": "instancetype machinetype nodeselector nodepools instance flavor vmtype constraint "
    "nodeaffinity instancetypes nodetypes gputype",
    "parallelism": "parallel concurrency maxparallel maxconcurrent parallelpods",
    "preemptible": "preemptable spot usespot interruptible preemptibility spotpolicy priorityclass priorityclassname "
    "priority schedulingpriority",
    "project": "namespace projectid projectname team workspace account department tenant user group metadatanamespace",
    "pvc": "volume volumes volumemounts mount mounts persistentvolumeclaim persistentvolumeclaims pvcs existingpvc "
    "existingpvcs claims claim disk storage filemounts datavolumes volumeclaims storagemounts dataset datasets",
    "queue": "queuename jobqueue localqueue kueuequeue partition",
    "retry": "podfailurepolicy retrypolicy failurepolicy recovery onfailure restartonfailure",
    "runAsGid": "gid fsgroup runasgroup groupid supplementalgroups",
    "runAsUid": "uid runasuser userid",
    "stdin": "openstdin keepstdin",
    "tty": "terminal pty allocatetty",
    "ttlAfterFinish": "ttl ttlsecondsafterfinished ttlafterfinished autodeletiontimeafterfinish "
    "autodeletiontimeaftercompletionseconds cleanupafter retention autodelete timetolive retentionseconds rm autodown",
    "type": "jobtype workloadtype kindofjob trainingtype",
    "workingDir": "workdir workingdirectory cwd wd chdir directory homedir dir",
}
MEANT: dict[str, str] = {foreign: field for field, names in _MEANT.items() for foreign in names.split()}
"""The field of a Job that means about the same, by the plain name of the foreign one."""

_IN_A_MANIFEST = "Manifests of Kubernetes are not accepted; remove it, and send the fields of a Job"
_METADATA = "Set `name`, `labels` and `annotations` themselves, and `project` in place of the namespace"
_SPEC = (
    "Move its fields into the Job itself: `image` and `command`, `args` as `arguments`, `env` as `environment`, "
    "and the number of GPUs as `gpu`"
)
_RESOURCES = 'Set `gpu`, `cpu`, `cpuLimit`, `memory` and `memoryLimit` themselves, such as "gpu": 1, "memory": "16Gi"'
_NO_PORTS = "Jobs do not serve ports; remove it"
_POD = "A Job has one container; set its fields in the Job itself, such as `image`, `command` and `gpu`"
_ONE_TOOL = "The cluster is the one that this API serves; remove it"
_LOGS = "Logs are written to standard output; read them with GET /jobs/{project}/{name}/logs"
_CODE = "Nothing is uploaded from your machine: put the code in the image, a volume, or clone it in `command`"
_SETUP = "There is no separate step: install packages in the image, or in `command`"
_DEPENDENCIES = "Jobs do not depend on others; submit the next one when this one has finished"
_SCHEDULE = "Jobs are not scheduled by time; submit the Job from your own scheduler"
_SECURITY = "The security settings are fixed: `runAsUid` and `runAsGid` select the user; remove it"
_NODES = "Nodes are selected by `nodeType`, the instance type"
_SECRETS = 'Name the Secret in `environment`: {"HF_TOKEN": {"secret": {"name": "hf", "key": "token"}}}'
_NOTIFICATION = "Set no notification in the Job: wait with GET /jobs/{project}/{name}?wait=25&until=finished"

_REASONS: dict[str, str] = {
    _IN_A_MANIFEST: "apiversion kind",
    _METADATA: "metadata objectmeta",
    _SPEC: "spec template jobtemplate jobspec",
    "The cluster sets it; remove it": "status creationtimestamp resourceversion generation managedfields",
    _POD: "containers initcontainers podtemplate podspec selector containeroverrides containerproperties jobdefinition "
    "ecsproperties eksproperties podproperties taskgroups replicaspecs workergroupspecs sidecars workerspec master "
    "worker pytorchreplicaspecs rayclusterspec headgroupspec",
    _RESOURCES: "resources limits requests resource resourcerequirements compute computeresource resourcesperworker "
    "entrypointresources rayresources",
    "A Job has a fixed number of pods: set `parallelism`, or `nodes` for a distributed Job": "replicas replica ntasks "
    "minreplicas maxreplicas scale count",
    "Containers are never restarted: `backoffLimit` is the number of new pods after a failure": "restartpolicy restart "
    "autorestart requeue",
    "Suspend the Job after it was submitted, with POST /jobs/{project}/{name}/suspend": "suspend suspended "
    "startsuspended hold paused",
    "Pods have no credentials of the cluster; remove it": "serviceaccount serviceaccountname "
    "automountserviceaccounttoken rbac role iamrole jobrolearn executionrolearn",
    "Secrets for pulling images are set by the platform engineers; remove it": "imagepullsecrets imagepullsecret "
    "registrycredentials registryauth dockerusername repositorycredentials pullsecret imagecredentials",
    _SECRETS: "secretkeyref secretref secret secretname secretfiles secretvolumes credentials",
    _NODES: "affinity tolerations toleration topologyspreadconstraints nodename nodelist host hostname exclude zone "
    "region regions availabilityzone schedulername scheduler nodeport nodepoolname machine topology placement backends "
    "nodeaffinityrequired podaffinity",
    "GPUs are requested by number in `gpu`; `nodeType` selects their model": "gputypes gpumodel gpumemoryrequest "
    "gpumemorylimit gpurequesttype gpufraction gpudevice migprofile",
    "GPUs are not shared; set `gpu` to a whole number": "gpuportion fraction gpumemoryrequestmb gpuportionlimit "
    "gpumemorylimitmb",
    _SECURITY: "securitycontext podsecuritycontext privileged capabilities capadd capdrop addcapabilities "
    "linuxcapabilities readonlyrootfilesystem readonlyrootfs runasnonroot seccompprofile uidgidsource userns",
    _NO_PORTS: "port exposedports connections externalurls ingress service expose publish url",
    "The network is set by the platform engineers; remove it": "network networkmode dns dnspolicy dnsconfig "
    "hostaliases",
    _LOGS: "output error stdout stderr logs logconfiguration logdriver logging logdir outputpath",
    _CODE: "runtimeenv code git repo repos source gitrepo workspacedir sourcecode codedir uploaddir files "
    "fileuploads submissionsource configmaps configmap sync gitclone",
    _SETUP: "setup pip conda requirements dependencies packages modules python pythonversion install init postsetup "
    "build dockerfile setupcommands prolog",
    _DEPENDENCIES: "dependson dependency after needs steps dag pipeline workflow",
    _SCHEDULE: "schedule cron begin startat starttime crontab delay",
    _NOTIFICATION: "mailuser mailtype notify email webhook callback notifications hooks onsuccess",
    _ONE_TOOL: "cluster clusterid clustername cloud infra backend provider fleet fleets context anyof headnode "
    "infrastructure",
    "Pods are stopped with the cluster's grace period, and have no probes or hooks; remove it": "livenessprobe "
    "readinessprobe startupprobe lifecycle terminationgraceperiodseconds healthcheck probes stopsignal",
    "Jobs are batch programs; remove the settings of services": "idletimeout idleminutestoautostop autostop autostart "
    "autoscaling rollingupdate strategy ide services readiness minavailable",
    "Send a list of words in `command` and `arguments`; the image's entry point is replaced by `command`": ""
    "imageentrypoint entrypointargs commandline",
    "This API has no templates; send every field": "extends base profile assetids asset environmentid computeid "
    "templateid workloadtemplate preset",
    "`job` wraps the whole Job: move all other fields into it, or remove it": "job workload body",
    "Submit each Job in a request of its own": "jobs joblist",
    "The volumes are listed in `pvc`, as claims: hosts and buckets cannot be mounted": "hostpath nfs emptydir bind "
    "buckets s3bucket objectstorage storageclass ephemeralstorage tmpfs localssd blockdevices disksize",
    "Send the header Idempotency-Key instead": "idempotencykey requestid clienttoken clientrequesttoken",
    "Add ?dryRun=true to the path instead": "dryrun validateonly preview",
    "The owner of a Job is the caller of the request; remove it": "owner createdby submittedby username author",
    "The API keeps no description; use `annotations`": "description comment notes desc summary",
}
WHY: dict[str, str] = {
    "namespace": "the Project determines the namespace",
    "metadatanamespace": "the Project determines the namespace",
    "nodeselector": "nodes are selected by their instance type only",
    "priorityclassname": "the API sets the PriorityClass of preemptible Jobs",
    "priority": "the API sets the PriorityClass of preemptible Jobs",
    "volumemounts": "each volume has its path",
    "envfrom": "each variable is set by itself",
    "podfailurepolicy": "the API writes the pod failure policy",
    "completionmode": "true is the same as completion mode Indexed",
}
"""Why a field of MEANT does not exist here."""
REASONS: dict[str, str] = {foreign: reason for reason, names in _REASONS.items() for foreign in names.split()}
"""What to do about a field that does not exist here for a reason, by its plain name."""

NESTED: dict[str, dict[str, str]] = {
    "pvc": {
        **dict.fromkeys(("mountpath", "mountpoint", "target", "containerpath", "dst", "destination", "dir"), "path"),
        **dict.fromkeys(
            ("claimname", "claim", "pvc", "pvcname", "persistentvolumeclaim", "existingpvc", "volume", "volumename"),
            "name",
        ),
        **dict.fromkeys(("capacity", "storage", "disk", "disksize", "sizegb", "volumesize"), "size"),
        **dict.fromkeys(("class", "storageclassname", "sc"), "storageClass"),
        **dict.fromkeys(("ro", "readonlymount"), "readOnly"),
    },
    "secret": {
        **dict.fromkeys(("secretname", "secret", "ref"), "name"),
        **dict.fromkeys(("secretkey", "property", "field", "item"), "key"),
    },
    "retry": {
        **dict.fromkeys(("exitcode", "codes", "onexitcodes", "retryableexitcodes", "retryonexitcode"), "exitCodes"),
        **dict.fromkeys(("ondisruption", "disruptions", "ignoredisruption", "onpreemption"), "ignoreDisruptions"),
    },
}
"""The same for the fields of a volume, of a reference to a Secret, and of `retry`."""
