"""How a host with the container toolkit deviates from what is declared, and what the checks that fail then say."""

from __future__ import annotations

from gpufleet.containers.gpu_devices import SPECIFICATION
from gpufleet.containers.schema import ROOT_FILE
from roles.container_toolkit.steps import CONFIGURATION, DROP_IN, LINKS, RULE, UNIT, UNIT_FILE, WATCH
from tests.support.runtime_answers import ROOT, answer
from tests.support.toolkit_answers import CONTAINER, GOOD, RUNTIME, SPEC, changed

_ALL = (
    "libnvidia-container1=1.19.1, libnvidia-container-tools=1.19.1, nvidia-container-toolkit-base=1.19.1, "
    "nvidia-container-toolkit=1.19.1"
)
_CURE = f"deploy the role, or run `systemctl restart {UNIT}`"
_NAMED = f"{SPECIFICATION}: expected driver 580.95.05 and its 2 devices, found"
_LINKED = "/dev/char: expected links that lead to every device, found none to"
_AGAIN = "start its pod again, with the runtime's mode not legacy or with devices that the plugin passes"
_OTHER = "== /etc/cdi/nvidia.yaml\nkind: nvidia.com/gpu\ndevices: [{name: all}]"
_WHOLE = "GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-0b)"
_MIG = f"{_WHOLE}\n  MIG 1g.10gb     Device  0: (UUID: MIG-7f)"
_DEFAULT = RUNTIME.replace(
    "version = 3\n",
    'version = 3\n\n[plugins."io.containerd.cri.v1.runtime".containerd]\ndefault_runtime_name = "nvidia"\n',
)

DEVIATIONS: list[tuple[dict[str, str], dict[str, str]]] = [
    (
        changed(
            "packages", "installed libnvidia-container-tools 1.19.1-1", "installed libnvidia-container-tools 1.18.2-1"
        ),
        {
            "packages_are_one_release": f"container toolkit: expected {_ALL}, found libnvidia-container-tools 1.18.2-1",
        },
    ),
    (
        changed("packages", "installed nvidia-container-toolkit-base 1.19.1-1", ""),
        {
            "packages_are_one_release": f"container toolkit: expected {_ALL}, found nvidia-container-toolkit-base "
            "not installed"
        },
    ),
    (
        changed("held", "hold libnvidia-container1\n", ""),
        {"packages_are_held": "container toolkit: expected all held, found libnvidia-container1 not held"},
    ),
    (
        changed("programs", "CLI version 1.19.1", "CLI version 1.17.8"),
        {"programs_are_that_release": "container toolkit: expected its programs to be 1.19.1, found nvidia-ctk 1.17.8"},
    ),
    (
        changed("programs", "cli-version: 1.19.1\nlib-version: 1.19.1", "timeout: failed to run command"),
        {
            "programs_are_that_release": "container toolkit: expected its programs to be 1.19.1, found "
            "nvidia-container-cli timeout: failed to run command"
        },
    ),
    (
        changed("configuration", 'mode = "auto"', 'mode = "legacy"'),
        {"configuration_is_as_declared": f"/{CONFIGURATION}: expected the declared file, found no 'mode = \"auto\"'"},
    ),
    (
        {"configuration": f"{GOOD['configuration']}\n# more"},
        {"configuration_is_as_declared": f"/{CONFIGURATION}: expected the declared file, found more than that"},
    ),
    (
        {"trial": answer({ROOT_FILE: ROOT})},
        {
            "runtime_is_declared": "containerd: expected the runtime nvidia by /usr/bin/nvidia-container-runtime, "
            "found none"
        },
    ),
    (
        {"trial": answer({ROOT_FILE: ROOT, f"/{DROP_IN}": _DEFAULT})},
        {
            "runtime_is_declared": "containerd: expected another one than nvidia as the default runtime, found nvidia",
        },
    ),
    (
        changed("containerd", "Changed=1795415000", "Changed=1995415000"),
        {
            "containerd_runs_with_it": "containerd.service: expected it to run with the runtime, found one that "
            f"started before /{DROP_IN} changed"
        },
    ),
    (
        changed("containerd", "ActiveState=active", "ActiveState=failed"),
        {"containerd_runs_with_it": "containerd.service: expected it to run with the runtime, found failed"},
    ),
    (
        {"driver": "nvidia-container-cli: initialization error: nvml error: driver/library version mismatch"},
        {
            "toolkit_reaches_the_driver": "nvidia-container-cli: expected driver 580.95.05, found "
            "nvidia-container-cli: initialization error: nvml error: driver/library version mismatch"
        },
    ),
    (
        changed(f"unit {UNIT}", "ActiveState=active", "ActiveState=failed"),
        {
            "unit_describes_the_devices_at_boot": f"{UNIT}: expected active and enabled, found inactive and enabled "
            "(failed)"
        },
    ),
    (
        changed(f"unit {UNIT}", "Before=containerd.service ", "Before="),
        {
            "unit_describes_the_devices_at_boot": f"{UNIT}: expected it after the driver and before its users, found "
            "no Before=containerd.service"
        },
    ),
    (
        {"rule": ""},
        {"unit_and_rule_are_as_declared": f"container toolkit: expected the declared files, found others: /{RULE}"},
    ),
    (
        changed("links program", "-delete", ""),
        {"unit_and_rule_are_as_declared": f"container toolkit: expected the declared files, found others: /{LINKS}"},
    ),
    (
        changed("unit file", "nvidia-uvm", "nvidia"),
        {
            "unit_and_rule_are_as_declared": "container toolkit: expected the declared files, found others: "
            f"/{UNIT_FILE}"
        },
    ),
    (
        changed(f"unit {WATCH}", "UnitFileState=enabled", "UnitFileState=disabled"),
        {"other_drivers_are_noticed": f"{WATCH}: expected active and enabled, found active and disabled"},
    ),
    (
        {"specifications": SPEC.replace("580.95.05", "570.195.03")},
        {"specification_is_of_the_driver_and_its_devices": f"{_NAMED} files of driver 570.195.03; {_CURE}"},
    ),
    (
        changed("specifications", "    - name: GPU-0b\n", ""),
        {"specification_is_of_the_driver_and_its_devices": f"{_NAMED} no GPU-0b; {_CURE}"},
    ),
    (
        {"devices": GOOD["devices"].replace(_WHOLE, _MIG).replace("GPU-0b, Disabled", "GPU-0b, Enabled")},
        {
            "specification_is_of_the_driver_and_its_devices": f"{_NAMED} no MIG-7f; GPU-0b, which the driver does not "
            f"list; {_CURE}"
        },
    ),
    (
        {"specifications": ""},
        {"specification_is_of_the_driver_and_its_devices": f"{_NAMED} no {SPECIFICATION}; {_CURE}"},
    ),
    (
        {"specifications": f"{_OTHER}\n{SPEC}"},
        {
            "nobody_else_describes_the_devices": f"{SPECIFICATION}: expected it to be the only one of the GPUs, found "
            "/etc/cdi/nvidia.yaml too; remove it"
        },
    ),
    *(
        (
            changed("links", old, new),
            {"devices_are_linked": f"{_LINKED} {path}; {_CURE}"},
        )
        for old, new, path in (
            ("link 195:0 /dev/nvidia0\n", "", "/dev/nvidia0"),
            ("link 195:0 /dev/nvidia0", "link 508:0 /dev/nvidia0", "/dev/nvidia0"),
            # That of a driver's container which is gone leads nowhere.
            ("leads /dev/char/195:0 c3 0\n", "", "/dev/nvidia0"),
            # Fabric manager's capability has had the numbers of unified memory since the driver was loaded again.
            ("leads /dev/char/506:0 1fa 0", "leads /dev/char/506:0 1fc 0", "/dev/nvidia-caps/nvidia-cap0"),
            ("link 506:0 /dev/nvidia-caps/nvidia-cap0\n", "", "/dev/nvidia-caps/nvidia-cap0"),
        )
    ),
    (
        {"links": ""},
        {"devices_are_linked": "/dev: expected device nodes of NVIDIA's driver, found none"},
    ),
    (
        changed("containers", "DeviceAllow=/dev/char/195:255 rw\nDeviceAllow=/dev/char/195:0 rw\n", ""),
        {
            "containers_keep_their_devices": "containers: expected devices that survive a reload of systemd, found "
            f"cri-containerd-1f.scope loses /dev/nvidia0, /dev/nvidiactl; {_AGAIN}"
        },
    ),
    (
        {"containers": f"{CONTAINER}\n{CONTAINER.replace('1f', '2e').replace('DeviceAllow=/dev/char/195:0 rw', '')}"},
        {
            "containers_keep_their_devices": "containers: expected devices that survive a reload of systemd, found "
            f"cri-containerd-2e.scope loses /dev/nvidia0; {_AGAIN}"
        },
    ),
]
