"""Ways to take hosts away from what the roles of the driver's companions made of them, and what their checks say then.

Hosts are those of tests/integration/test_companions.py, all with driver 580.105.08: u24 with NVSwitches, r9 with
NVLink5, d12 a compute tray.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.support.driver_deviations import STATUS, edited, moved

DRIVER, OTHER = "580.105.08", "580.999.99"
FABRIC, IMEX, DCGM, DIRECT = (
    "nvidia-fabricmanager.service",
    "nvidia-imex.service",
    "nvidia-dcgm.service",
    "gpufleet-gpudirect.service",
)
UNITS = "/etc/systemd/system"
ORDER = "expected it after the driver and before its users, found"
REFUSED = f"expected version {DRIVER} as the loaded module, which it would refuse otherwise, found {OTHER}"
FAILED = "expected active and enabled, found inactive and enabled (failed)"
DCGM_4 = "datacenter-gpu-manager-4"
DCGM_PACKAGES = ", ".join(f"{DCGM_4}-{part}=4.4.1" for part in ("core", "cuda13", "proprietary", "proprietary-cuda13"))
STANZA = f"Package: {DCGM_4}-cuda12\\nStatus: install ok installed\\nMaintainer: x\\nArchitecture: amd64\\n"


@dataclass(frozen=True)
class Deviation:
    """Something done to a host by hand, what checks say then by `role check`, and the way back if a deploy has none."""

    host: str
    command: str
    messages: Mapping[str, str]
    back: str = "true"


def _version(host: str, package: str, version: str, messages: Mapping[str, str]) -> Deviation:
    command, back = edited(STATUS, f"/^Package: {package}$/,/^$/s/^Version: .*/Version: {version}/")
    return Deviation(host, command, messages, back)


def _daemon(host: str, program: str, unit: str, messages: Mapping[str, str]) -> Deviation:
    command, back = edited(program, f's/^VERSION = .*/VERSION = "{OTHER}"/')
    return Deviation(host, f"{command} && ! systemctl restart {unit}", messages, f"{back}; touch {program}")


#: Holds first: they rewrite dpkg's status, which others change by hand. One edit of the status at a time.
FIRST = [
    Deviation(
        "u24",
        f"apt-mark unhold nvidia-fabricmanager {DCGM_4}-core libgdrapi",
        {
            "fabric_manager packages_are_held": "fabric manager: expected all held, "
            "found nvidia-fabricmanager not held",
            "dcgm packages_are_held": f"DCGM: expected all held, found {DCGM_4}-core not held",
            "gpudirect gdrcopy_is_held": "GDRCopy: expected all held, found libgdrapi not held",
        },
    ),
    Deviation(
        "d12",
        "apt-mark unhold nvidia-imex",
        {"imex package_is_held": "IMEX: expected all held, found nvidia-imex not held"},
    ),
    _version(
        "u24",
        "libnvidia-nscq",
        f"{OTHER}-1",
        {
            "fabric_manager packages_are_the_drivers_version": f"fabric manager: expected libnvidia-nscq={DRIVER}, "
            f"nvidia-fabricmanager={DRIVER}, found libnvidia-nscq {OTHER}-1"
        },
    ),
    _version(
        "d12",
        "nvidia-imex",
        f"{OTHER}-1",
        {"imex package_is_the_drivers_version": f"IMEX: expected nvidia-imex={DRIVER}, found nvidia-imex {OTHER}-1"},
    ),
    _daemon(
        "u24",
        "/usr/bin/nv-fabricmanager",
        FABRIC,
        {
            "fabric_manager daemon_is_of_the_loaded_module": f"/usr/bin/nv-fabricmanager: {REFUSED}",
            "fabric_manager daemon_runs": f"{FABRIC}: {FAILED}",
        },
    ),
    _daemon(
        "d12",
        "/usr/bin/nvidia-imex",
        IMEX,
        {
            "imex daemon_is_of_the_loaded_module": f"/usr/bin/nvidia-imex: {REFUSED}",
            "imex unit_is_as_declared": f"{IMEX}: {FAILED}",
        },
    ),
    Deviation(
        "u24",
        f"printf '[Unit]\\nAfter=multi-user.target\\n' >{UNITS}/{FABRIC}.d/zz.conf && systemctl daemon-reload",
        {"fabric_manager order_at_boot": f"{FABRIC}: {ORDER} After=multi-user.target"},
        f"rm {UNITS}/{FABRIC}.d/zz.conf && systemctl daemon-reload",
    ),
    Deviation(
        "d12",
        f"rm {UNITS}/{IMEX}.d/gpufleet.conf && systemctl daemon-reload",
        {
            "imex order_at_boot": f"{IMEX}: {ORDER} no After=nvidia-persistenced.service, "
            "no After=nvidia-fabricmanager.service, no Before=kubelet.service, no Before=slurmd.service"
        },
    ),
    Deviation(
        "r9",
        "rmmod ib_umad && sed -i /ib_umad/d /etc/modules-load.d/gpufleet-nvlink.conf",
        {
            "fabric_manager nvlink_modules_are_loaded": "modules of NVLink5: expected them loaded, found no ib_umad",
            "fabric_manager nvlink_modules_are_loaded_at_boot": "/etc/modules-load.d/gpufleet-nvlink.conf: "
            "expected ['mlx5_core', 'ib_umad'], found ['mlx5_core']",
        },
    ),
    Deviation(
        "d12",
        "echo 192.0.2.9 >/etc/nvidia-imex/nodes_config.cfg",
        {
            "imex nodes_are_as_declared": "/etc/nvidia-imex/nodes_config.cfg: expected {nodes}, found ['192.0.2.9']",
            "imex host_is_one_of_the_nodes": "/etc/nvidia-imex/nodes_config.cfg: expected an address of this host, "
            "found ['192.0.2.9']",
        },
    ),
    Deviation(
        "d12",
        "mv /dev/nvidia-caps-imex-channels/channel0 /root/channel0",
        {"imex channel_is_there": "/dev/nvidia-caps-imex-channels/channel0: expected it, found none"},
        "mv /root/channel0 /dev/nvidia-caps-imex-channels/channel0",
    ),
    Deviation(
        "u24",
        f"systemctl disable --now {DCGM} && rm {UNITS}/{DCGM}.d/gpufleet.conf && systemctl daemon-reload",
        {
            "dcgm host_engine_is_as_declared": f"{DCGM}: expected active and enabled, found inactive and disabled",
            "dcgm host_engine_sees_every_gpu": "dcgmi discovery: expected '8 GPUs found.', "
            "found 'Error: unable to establish a connection to the specified host: localhost'",
            "dcgm order_at_boot": f"{DCGM}: {ORDER} no After=nvidia-persistenced.service, "
            "no Before=kubelet.service, no Before=slurmd.service",
        },
    ),
    Deviation(
        "u24",
        f"rmmod gdrdrv && systemctl disable {DIRECT} && mkdir /sys/module/nvidia_peermem",
        {
            "gpudirect modules_are_loaded": "modules of GPUDirect: expected them loaded, found no gdrdrv",
            "gpudirect gdrcopy_has_its_device": "/dev/gdrdrv: expected it, found none",
            "gpudirect modules_are_loaded_at_boot": f"{DIRECT}: expected active and enabled, found active and disabled",
            "gpudirect peer_memory_only_where_it_is_the_path": "path of GPUDirect: expected dma-buf (open modules on a "
            "kernel from 5.12 on need no peermem), found nvidia_peermem loaded",
        },
        "rmdir /sys/module/nvidia_peermem",
    ),
    Deviation(
        "u24",
        f"sed -i s/openibd.service/rdma.service/ {UNITS}/{DIRECT} && systemctl daemon-reload",
        {"gpudirect order_at_boot": f"{DIRECT}: {ORDER} no After=openibd.service"},
    ),
    Deviation(
        "u24",
        moved("/var/lib/dkms/gdrdrv/2.5.1/$(uname -r)")[0],
        {
            "gpudirect gdrcopy_is_built_for_the_running_kernel": "dkms module gdrdrv for kernel {kernel}: "
            "expected ['2.5.1 installed'], found []"
        },
        moved("/var/lib/dkms/gdrdrv/2.5.1/$(uname -r)")[1],
    ),
]

SECOND = [
    Deviation(
        "u24",
        f"cp -p {STATUS} {STATUS}.kept && printf '{STANZA}Version: 1:4.4.1-1\\nDescription: x\\n\\n' >>{STATUS} && "
        f"sed -i '/^Package: {DCGM_4}-proprietary$/,/^$/s/^Version: .*/Version: 1:4.4.9-1/' {STATUS} && "
        f"sed -i '/^Package: libgdrapi$/,/^$/s/^Version: .*/Version: 2.9-1/' {STATUS}",
        {
            "dcgm packages_are_the_chosen_version": f"DCGM: expected {DCGM_PACKAGES}, "
            f"found {DCGM_4}-proprietary 1:4.4.9-1",
            "dcgm other_majors_are_not_installed": "DCGM: expected no other major of it or of CUDA, "
            f"found {DCGM_4}-cuda12",
            "gpudirect gdrcopy_is_installed": "GDRCopy: expected gdrdrv-dkms=2.5.1, libgdrapi=2.5.1, "
            "gdrcopy-tests=2.5.1, gdrcopy=2.5.1, found libgdrapi 2.9-1",
        },
        f"mv {STATUS}.kept {STATUS}",
    ),
]

#: What checks say of hosts that were declared to have none, and still have it.
OFF: Mapping[str, Mapping[str, object]] = {
    "u24": {"gpudirect": {"rdma": "off"}, "dcgm": {"state": "absent"}, "fabric_manager": {"run": "off"}},
    "r9": {"gpudirect": {"rdma": "off"}, "dcgm": {"state": "absent"}, "fabric_manager": {"run": "off"}},
    "d12": {"gpudirect": {"rdma": "off"}, "dcgm": {"state": "absent"}, "imex": {"run": "off"}},
}
LEFT = {
    "u24 fabric_manager": "fabric manager: expected nothing of it, found libnvidia-nscq, nvidia-fabricmanager, "
    f"{UNITS}/{FABRIC}, {UNITS}/{FABRIC}.d/gpufleet.conf",
    "r9 fabric_manager": "fabric manager: expected nothing of it, found libnvsdm, nvidia-fabricmanager, nvlsm, "
    f"{UNITS}/{FABRIC}, {UNITS}/{FABRIC}.d/gpufleet.conf",
    "d12 imex": f"IMEX: expected nothing of it, found nvidia-imex, {UNITS}/{IMEX}.d/gpufleet.conf",
    "u24 dcgm": f"DCGM: expected nothing of it, found {DCGM_4}-core, {DCGM_4}-cuda13, {DCGM_4}-proprietary, "
    f"{DCGM_4}-proprietary-cuda13, {UNITS}/{DCGM}.d/gpufleet.conf",
    "u24 gpudirect": "GDRCopy: expected nothing of it, found gdrcopy, gdrcopy-tests, gdrdrv-dkms, libgdrapi, "
    f"{UNITS}/{DIRECT}",
}
