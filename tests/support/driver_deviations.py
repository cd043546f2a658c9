"""Ways to take a host away from what the role `nvidia_driver` made of it, and what its checks say then.

The host is d12 of the tests' lab: eight H100, driver OLD with one module option, kernel {kernel}.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.support.driver_faults import ASK_NVIDIA_SMI
from tests.support.lab import OLD

OPTION = "NVreg_RestrictProfilingToAdminUsers"
DECLARED = {"version": OLD, "module_options": {OPTION: 0}}
OTHER = "535.999.99"

PARAMETERS, BANNER = "/proc/driver/nvidia/params", "/proc/driver/nvidia/version"
PIN, LOCKS = "/etc/apt/preferences.d/gpufleet-nvidia.pref", "/etc/apt/preferences.d/gpufleet-holds.pref"
DROP_IN = "/etc/modprobe.d/gpufleet-nvidia.conf"
STATUS = "/var/lib/dpkg/status"
BUILD = f"/var/lib/dkms/nvidia-current/{OLD}"
LIBRARY = f"/usr/lib/x86_64-linux-gnu/nvidia/current/libnvidia-ml.so.{OLD}"
#: A program that answers in nvidia-smi's place, with one word of its answer changed.
WRAPPER = "/usr/local/bin/nvidia-smi"
STANZA = (
    "Package: nvidia-open-kernel-support\\nStatus: hold ok installed\\nSource: nvidia-open-gpu-kernel-modules\\n"
    f"Maintainer: nobody\\nArchitecture: amd64\\nVersion: {OLD}-1\\nDescription: none\\n\\n"
)


@dataclass(frozen=True)
class Deviation:
    """Something done to a host by hand, all that its checks say then, and the way back."""

    command: str
    back: str
    messages: Mapping[str, str]


def edited(path: str, expression: str) -> tuple[str, str]:
    """Change a file by sed, and the way back."""
    return f"cp -p {path} {kept(path)} && sed -i '{expression}' {path}", f"cp -p {kept(path)} {path}"


def kept(path: str) -> str:
    """Where a file is kept that is going to be changed."""
    return f"/root/kept{path.replace('/', '-')}"


def moved(path: str) -> tuple[str, str]:
    """Take a file or a directory away, and the way back."""
    return f"mv {path} {path}.away", f"mv {path}.away {path}"


DEVIATIONS: dict[str, Deviation] = {
    "module on disk": Deviation(
        *moved("/lib/modules/{kernel}/updates/dkms/nvidia-current.ko"),
        {
            "module_on_disk_is_the_declared_version": "module file nvidia-current of kernel {kernel}: "
            f"expected {OLD}, found none",
        },
    ),
    "userspace": Deviation(
        f"cp {LIBRARY} /usr/local/lib/libnvidia-ml.so.{OTHER} && ldconfig",
        "rm /usr/local/lib/libnvidia-ml.so* && ldconfig",
        {
            "userspace_is_the_version_of_the_loaded_module": f"libnvidia-ml: expected {OLD} as the loaded module, "
            f"found {OTHER}",
        },
    ),
    "package": Deviation(
        *edited(STATUS, f"/^Package: libcuda1$/,/^$/s/^Version: .*/Version: {OTHER}-1/"),
        {"packages_are_the_declared_version": f"packages: expected {OLD}, found libcuda1 {OTHER}-1"},
    ),
    "no package": Deviation(
        *edited(STATUS, "/^Package: nvidia-smi$/,/^$/s/^Status: .*/Status: hold ok config-files/"),
        {"packages_are_the_declared_version": f"packages: expected {OLD}, found no nvidia-smi"},
    ),
    "dkms": Deviation(
        *moved(f"{BUILD}/{{kernel}}"),
        {
            "dkms_built_the_module_for_the_running_kernel": f"dkms module nvidia-current: expected {OLD} {{kernel}} "
            "installed, found nothing",
        },
    ),
    "flavor": Deviation(
        *edited(BANNER, "s/x86_64 Kernel Module /Open Kernel Module for x86_64 /"),
        {"loaded_module_is_of_the_chosen_flavor": "kernel module: expected the proprietary one, found open"},
    ),
    "other flavor": Deviation(
        f"cp -p {STATUS} {STATUS}.kept && printf '{STANZA}' >>{STATUS}",
        f"mv {STATUS}.kept {STATUS}",
        {
            "no_other_driver_is_installed": f"driver {OLD}: expected no package of another flavor or branch beside it, "
            "found nvidia-open-kernel-support",
        },
    ),
    "hold": Deviation(
        "apt-mark unhold nvidia-smi libcuda1",
        "apt-mark hold nvidia-smi libcuda1",
        {"packages_are_held": "packages: expected all of the driver on hold, found no hold on libcuda1, nvidia-smi"},
    ),
    "no pin": Deviation(
        *moved(PIN),
        {"pin_keeps_the_version": f"pin of the driver: expected {OLD}-*, found no pin"},
    ),
    "weak pin": Deviation(
        *edited(PIN, "s/1001/500/"),
        {"pin_keeps_the_version": f"pin of the driver: expected {OLD}-*, found priority 500"},
    ),
    "lock": Deviation(
        *edited(LOCKS, f"/^Package: libcuda1$/,/^$/s/^Pin: .*/Pin: version {OTHER}-1/"),
        {"locks_keep_the_version": f"locked versions of the driver: expected {OLD}, found libcuda1 {OTHER}-1"},
    ),
    "runfile": Deviation(
        "touch /usr/bin/nvidia-uninstall",
        "rm /usr/bin/nvidia-uninstall",
        {
            "no_driver_of_the_runfile_installer": "NVIDIA's runfile installer: expected nothing of it, "
            "found /usr/bin/nvidia-uninstall",
        },
    ),
    "daemon": Deviation(
        "systemctl disable --now nvidia-persistenced",
        "systemctl enable --now nvidia-persistenced",
        {
            "persistence_daemon_is_as_declared": "nvidia-persistenced: expected it running and enabled, "
            "found it stopped and disabled",
            "persistence_mode_is_on": "persistence mode: expected on for every GPU, found off for {gpus}",
        },
    ),
    "live option": Deviation(
        *edited(PARAMETERS, "s/^RestrictProfilingToAdminUsers: 0/RestrictProfilingToAdminUsers: 1/"),
        {"module_options_are_live": f"module option {OPTION}: expected 0 live, found 1"},
    ),
    "option at boot": Deviation(
        *moved(DROP_IN),
        {
            "module_options_are_kept": "module options at boot: expected "
            f"['options nvidia-current {OPTION}=0'], found []",
        },
    ),
    "nouveau loaded": Deviation(
        "mkdir /sys/module/nouveau",
        "rmdir /sys/module/nouveau",
        {"nouveau_stays_away": "module nouveau: expected it not loaded, found /sys/module/nouveau"},
    ),
    "nouveau bound": Deviation(
        "mkdir -p /run/nouveau && ln -sfn /run/nouveau /sys/bus/pci/devices/{gpu}/driver",
        "ln -sfn {driver} /sys/bus/pci/devices/{gpu}/driver",
        {"nouveau_stays_away": "GPUs: expected none bound to nouveau, found {gpu} nouveau"},
    ),
    "reboot required": Deviation(
        "mkdir -p /run/gpufleet/reboot-required && echo because >/run/gpufleet/reboot-required/test",
        "rm /run/gpufleet/reboot-required/test",
        {"no_reboot_is_required": "reasons to reboot: expected none, found test: because"},
    ),
    "remap failed": Deviation(
        f'printf \'#!/bin/sh\\n/usr/bin/nvidia-smi "$@" | sed "/remapped/!s/{{gpu_id}}, 0, 0/{{gpu_id}}, 0, 1/"\\n\' '
        f">{WRAPPER} && chmod 755 {WRAPPER}",
        f"rm {WRAPPER}",
        {"no_row_remap_has_failed": "row remapping: expected no failure, found it on {gpu}; replace the GPU"},
    ),
    "silent GPU": Deviation(
        f"printf '#!/bin/sh\\n/usr/bin/nvidia-smi \"$@\" | sed 1d\\n' >{WRAPPER} && chmod 755 {WRAPPER}",
        f"rm {WRAPPER}",
        {"every_gpu_on_the_bus_answers": "GPUs: expected 8 to answer nvidia-smi, found no answer of ['{gpu}']"},
    ),
    "loaded version": Deviation(
        *edited("/sys/module/nvidia/version", f"s/.*/{OTHER}/"),
        {
            "loaded_module_is_the_declared_version": f"module nvidia: expected {OLD} loaded, found {OTHER}",
            "userspace_is_the_version_of_the_loaded_module": f"libnvidia-ml: expected {OTHER} as the loaded module, "
            f"found {OLD}",
            **dict.fromkeys(
                ASK_NVIDIA_SMI,
                "nvidia-smi: expected exit status 0, found 18: Failed to initialize NVML: "
                "Driver/library version mismatch NVML library version: 535.216",
            ),
        },
    ),
    "nvidia-smi fails": Deviation(
        f"printf '#!/bin/sh\\necho NVML: Unknown Error; exit 255\\n' >{WRAPPER} && chmod 755 {WRAPPER}",
        f"rm {WRAPPER}",
        dict.fromkeys(
            ASK_NVIDIA_SMI,
            "nvidia-smi: expected exit status 0, found 255: NVML: Unknown Error",
        ),
    ),
}

#: Deviations that are made together: no check has a word about two of a batch.
APART = ("no package", "weak pin", "nouveau bound", "other flavor", "silent GPU")
ALONE = ("loaded version", "nvidia-smi fails")
BATCHES = {
    "most": [name for name in DEVIATIONS if name not in (*APART, *ALONE)],
    "second": list(APART),
    **{name: [name] for name in ALONE},
}
