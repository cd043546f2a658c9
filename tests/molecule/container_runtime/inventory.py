"""The lab's hosts; those with Debian 13 get its containerd, by which no pod runs: layers lie on the container's own."""

from gpufleet.lab.inventory import hosts, names

_own = {"container_runtime": {"restrict_oom_score_adj": True, "snapshotter": "native"}}
_with = names(os="debian-13")
gpu_hosts = [(name, {**data, "_sudo": True, **(_own if name in _with else {})}) for name, data in hosts()]
