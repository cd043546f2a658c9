"""Hosts with HGX H100 boards: eight H100 SXM5 behind four NVSwitches."""

# What these hosts are, so that their software is checked before the first connection; docs/stack.md lists the fields.
# A host that turns out to be something else is refused: "declared X, found Y".
machine = {
    "os": "ubuntu-24.04",
    "arch": "x86_64",
    # By product name or PCI device id ("2330"), and how many.
    "gpus": {"H100 SXM5": 8},
    "nvswitches": 4,
    "nvlink5": False,
    "rdma_adapters": 10,
    "platform": "bare-metal",
    "secure_boot": False,
}

nvidia_driver = {
    # One exact version, pinned and held. Fabric manager and every host of a job must have the same.
    "version": "580.95.05",
    # NVIDIA's own repository has every branch for every system; the distribution's has some.
    "source": "nvidia",
    # "auto" decides between open and proprietary kernel modules by GPU generation and branch: open for 580.
    "flavor": "auto",
    # Keeps idle GPUs initialized, so that a job does not wait for them.
    "persistence": True,
    # Options of the kernel module `nvidia`; this one lets users that are not root read performance counters.
    "module_options": {"NVreg_RestrictProfilingToAdminUsers": 0},
    # Where a job holds the old module, record that a reboot is required and leave it to a rollout that drains first.
    "reboot": "never",
}

# Chosen by the hardware and at the driver's version: NVSwitches need fabric manager, RDMA adapters GPUDirect.
fabric_manager = {}
gpudirect = {}

# Toolkits side by side; /usr/local/cuda is the default. NCCL and DCGM take the builds that suit them and the driver.
cuda = {"toolkits": ["12.9", "13.0"], "default": "13.0"}
nccl = {}
dcgm = {}

# What no role installs but must fit: here another tool brings Kubernetes.
stack = {"containerd": "2.3.1", "kubelet": "1.36.1", "kube_apiserver": "1.36.1"}
