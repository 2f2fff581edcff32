"""Environment variables that make a container runtime inject devices which the container has not requested.

A device plugin can pass devices to the runtime by such a variable, and the kubelet appends the pod's own variables, so
that they override the plugin's. Runtimes compare names exactly, except those in DEVICE_PREFIXES. The lists contain
neither variables that only select among the devices of the container, such as CUDA_VISIBLE_DEVICES,
ROCR_VISIBLE_DEVICES and NEURON_RT_VISIBLE_CORES, nor NVIDIA_DRIVER_CAPABILITIES and NVIDIA_REQUIRE_*, which add driver
libraries and constraints.
"""

from __future__ import annotations

DEVICE_VARIABLES = (
    # https://github.com/NVIDIA/nvidia-container-toolkit, internal/config/image/envvars.go
    "NVIDIA_VISIBLE_DEVICES",
    "NVIDIA_IMEX_CHANNELS",
    "NVIDIA_MIG_CONFIG_DEVICES",
    "NVIDIA_MIG_MONITOR_DEVICES",
    # The same repository, internal/modifier/cdi.go: devices of all GPUs and of the network of the node.
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
    # The option `swarm-resource` of NVIDIA's toolkit; AMD's toolkit reads all variables with this prefix.
    "DOCKER_RESOURCE_",
)
NO_DEVICES = {"NVIDIA_VISIBLE_DEVICES": "void"}
"""The variable of a Job that requests no GPU: it overrides the `all` of NVIDIA's images.

Images of other vendors set no such variable, and for `void` Habana's runtime injects all devices in its legacy mode.
"""


def injects_devices(variable: str) -> bool:
    """Return whether *variable* can make a container runtime inject devices."""
    return variable in DEVICE_VARIABLES or variable.startswith(DEVICE_PREFIXES)
