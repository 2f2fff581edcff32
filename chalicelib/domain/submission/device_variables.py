"""Variables by which a container runtime gives a container devices that it has not requested.

A device plugin may pass devices by such a variable, and the kubelet appends the pod's own variables after the plugin's.
Runtimes match names exactly, but for those with a prefix. Variables that only choose among the container's own devices,
such as CUDA_VISIBLE_DEVICES, ROCR_VISIBLE_DEVICES and NEURON_RT_VISIBLE_CORES, are not among them, nor are
NVIDIA_DRIVER_CAPABILITIES and NVIDIA_REQUIRE_*, which give driver libraries and refuse to start.
"""

from __future__ import annotations

DEVICE_VARIABLES = (
    # https://github.com/NVIDIA/nvidia-container-toolkit, internal/config/image/envvars.go
    "NVIDIA_VISIBLE_DEVICES",
    "NVIDIA_IMEX_CHANNELS",
    "NVIDIA_MIG_CONFIG_DEVICES",
    "NVIDIA_MIG_MONITOR_DEVICES",
    # The same, internal/modifier/cdi.go: devices of all GPUs of the node, and of its network.
    "NVIDIA_GDS",
    "NVIDIA_MOFED",
    "NVIDIA_GDRCOPY",
    "NVIDIA_NVSWITCH",
    # https://github.com/ROCm/container-toolkit, internal/oci/oci.go
    "AMD_VISIBLE_DEVICES",
    # https://awsdocs-neuron.readthedocs-hosted.com, "Docker Neuron OCI Hook Setup"
    "AWS_NEURON_VISIBLE_DEVICES",
    # https://github.com/Xilinx/Xilinx_Container_Runtime
    "XILINX_VISIBLE_DEVICES",
    "XILINX_VISIBLE_CARDS",
)
DEVICE_PREFIXES = (
    # https://github.com/HabanaAI/habana-container-runtime, cmd/habana-container-runtime/main.go: a prefix of the name.
    "HABANA_VISIBLE_DEVICES",
    # `swarm-resource` of NVIDIA's toolkit, in whose place it comes; AMD's toolkit reads all of the prefix.
    "DOCKER_RESOURCE_",
)
NO_DEVICES = {"NVIDIA_VISIBLE_DEVICES": "void"}
"""What a Job says that requests no GPU: NVIDIA's images say `all`.

Images of the other vendors say nothing, and Habana's runtime gives all devices for a `void` in its legacy mode.
"""


def gives_devices(variable: str) -> bool:
    """Whether a container runtime may give devices because of *variable*."""
    return variable in DEVICE_VARIABLES or variable.startswith(DEVICE_PREFIXES)
