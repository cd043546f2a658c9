"""The lab's hosts; the one with GPUs gets driver, containerd and the container toolkit.

Its containerd is Debian 12's, which the stand-in has (`stack.yaml`) and no toolkit from 1.19 on works with.
"""

from gpufleet.lab.inventory import hosts, names, nvidia_repository, toolkit_repository

_own = {
    "base": {},
    "nvidia_driver": {"version": "580.105.08", "source": "nvidia"},
    "container_runtime": {"version": "1.6.20", "restrict_oom_score_adj": True, "snapshotter": "native"},
    "container_toolkit": {"version": "1.18.2"},
    "stack": {"repositories": {"cuda": nvidia_repository(), "nvidia-container-toolkit": toolkit_repository()}},
}
_with = names(os="ubuntu-24.04-stand-in")
gpu_hosts = [(name, {**data, "_sudo": True, **(_own if name in _with else {})}) for name, data in hosts()]
