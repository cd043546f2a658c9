"""Ways to take a host away from what the role `base` made of it, one for every check."""

from __future__ import annotations

from dataclasses import dataclass

#: Limits below the machine's own, so that these hosts can show them; a server nobody answers at.
DECLARED = {"limits": {"memlock": 1024, "nofile": 4096}, "time": {"servers": ["192.0.2.1"]}}
HOSTS = ("d12", "d13")
LIMITS, MANAGER = "/etc/security/limits.d/60-gpufleet.conf", "/etc/systemd/system.conf.d/60-gpufleet.conf"
SWAPS = "Filename Type Size Used Priority\\n/dev/zram0 partition 1048572 0 100\\n"


@dataclass(frozen=True)
class Deviation:
    """Something done to a host by hand, what its check says then, and the way back where a deploy has none."""

    check: str
    command: str
    message: str
    back: str = ""


FIRST = [
    Deviation(
        "kernel_is_held",
        "apt-mark unhold linux-image-amd64",
        "packages on hold: expected [{kernel}], found [{still_held}]",
    ),
    Deviation(
        "apt_does_nothing_by_itself",
        'sed -i \'s/Unattended-Upgrade "0"/Unattended-Upgrade "1"/\' /etc/apt/apt.conf.d/99-gpufleet',
        "apt settings: expected every APT::Periodic at 0, found {{'APT::Periodic::Unattended-Upgrade': '\"1\";'}}",
    ),
    Deviation(
        "nothing_starts_upgrades",
        "systemctl unmask apt-daily.timer",
        "apt-daily.timer: expected it masked, found loaded (disabled)",
    ),
    Deviation(
        "modules_are_loaded",
        "rmmod overlay",
        "kernel modules: expected ['overlay', 'br_netfilter'] loaded, found no ['overlay']",
    ),
    Deviation(
        "modules_load_at_boot",
        "sed -i /overlay/d /etc/modules-load.d/gpufleet.conf",
        "/etc/modules-load.d/gpufleet.conf: expected ['overlay', 'br_netfilter'], found ['br_netfilter']",
    ),
    Deviation(
        "sysctl_drop_in_is_as_declared",
        "sed -i 's/kernel.panic = 10/kernel.panic = 11/' /etc/sysctl.d/60-gpufleet.conf",
        "/etc/sysctl.d/60-gpufleet.conf: expected ['kernel.panic = 10'], found ['kernel.panic = 11']",
    ),
    Deviation(
        "sysctl_values_are_in_force",
        "sysctl -w vm.max_map_count=65530",
        "sysctl vm.max_map_count: expected 1048576, found 65530",
    ),
    Deviation(
        "login_memlock",
        f"sed -i s/1024/2048/ {LIMITS}",
        "login limits: expected memlock in KiB 1024, found soft 2048 and hard 2048",
    ),
    Deviation(
        "login_nofile",
        f"sed -i s/4096/8192/ {LIMITS}",
        "login limits: expected nofile 4096, found soft 8192 and hard 8192",
    ),
    Deviation(
        "login_limits_are_written",
        "true",
        f"{LIMITS}: expected ['* - memlock 1024', '* - nofile 4096', 'root - memlock 1024', 'root - nofile 4096'], "
        "found ['* - memlock 2048', '* - nofile 8192', 'root - memlock 2048', 'root - nofile 8192']",
    ),
    Deviation(
        "service_memlock",
        f"sed -i s/1048576/2097152/ {MANAGER}",
        "service limits: expected memlock in KiB 1024, found soft 2048 and hard 2048",
    ),
    Deviation(
        "service_nofile",
        f"sed -i s/4096/8192/ {MANAGER} && systemctl daemon-reexec",
        "service limits: expected nofile 4096, found soft 8192 and hard 8192",
    ),
    Deviation(
        "service_limits_are_written",
        "true",
        f"{MANAGER}: expected {{{{'DefaultLimitMEMLOCK': '1048576', 'DefaultLimitNOFILE': '4096'}}}}, "
        "found {{'DefaultLimitMEMLOCK': '2097152', 'DefaultLimitNOFILE': '8192'}}",
    ),
    Deviation(
        "swap_is_off",
        f"printf '{SWAPS}' >/run/swaps && mount --bind /run/swaps /proc/swaps",
        "swap: expected none in use, found /dev/zram0",
        back="umount /proc/swaps",
    ),
    Deviation(
        "swap_stays_off",
        "echo '/dev/sdz2 none swap sw 0 0' >>/etc/fstab",
        "/etc/fstab: expected no swap in force, found /dev/sdz2 none swap sw 0 0",
    ),
    Deviation(
        "cpu_governor",
        "echo powersave >/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor",
        "CPU governor: expected performance, found processors by governor {{'performance': 1, 'powersave': 1}}",
    ),
    Deviation(
        "cpu_governor_is_set_at_boot",
        "systemctl disable gpufleet-cpu-governor.service",
        "gpufleet-cpu-governor.service: expected it enabled, found disabled",
    ),
    Deviation("chrony_runs", "systemctl stop chrony", "chrony.service: expected it active, found inactive (loaded)"),
    Deviation("time_is_synchronized", "true", "time: expected status Normal, found 506 Cannot talk to daemon"),
    Deviation(
        "chrony_asks_the_declared_servers",
        "sed -i s/192.0.2.1/192.0.2.2/ /etc/chrony/sources.d/gpufleet.sources",
        "time servers: expected ['192.0.2.1'], found ['192.0.2.2']",
    ),
    Deviation(
        "nouveau_is_blacklisted_in_every_initramfs",
        "touch /etc/modprobe.d/gpufleet-nouveau.conf",
        "initramfs: expected the blacklist of nouveau in each, found ['{running} predates it']",
    ),
    Deviation("nouveau_is_not_loaded", "modprobe nouveau", "kernel modules: expected no nouveau, found it loaded"),
    Deviation("host_name", "hostname elsewhere", "host name: expected {host}, found elsewhere"),
    Deviation(
        "hosts_file",
        "sed -i '/^127.0.1.1/d' /etc/hosts",
        "/etc/hosts: expected ['127.0.1.1\\t{host}'], found no such line",
    ),
]

SECOND = [
    Deviation(
        "nothing_starts_upgrades",
        "rm /etc/systemd/system/unattended-upgrades.service && "
        "printf '[Service]\\nExecStart=/bin/sleep 3600\\n' >/run/systemd/system/unattended-upgrades.service && "
        "systemctl daemon-reload && systemctl start unattended-upgrades && systemctl mask unattended-upgrades",
        "unattended-upgrades.service: expected it stopped, found it active",
    ),
    Deviation("swap_stays_off", "systemctl unmask swap.target", "swap units: expected all masked, found swap.target"),
    Deviation(
        "cpu_governor_is_set_at_boot",
        "systemctl stop gpufleet-cpu-governor.service",
        "gpufleet-cpu-governor.service: expected it active, found inactive",
    ),
    Deviation("chrony_runs", "systemctl disable chrony", "chrony.service: expected it enabled, found disabled"),
    Deviation(
        "chrony_asks_the_declared_servers",
        "sed -i 's/^# off by gpufleet: pool/pool/' /etc/chrony/chrony.conf",
        "time servers: expected ['192.0.2.1'], found ['192.0.2.1', '2.debian.pool.ntp.org']",
    ),
    Deviation(
        "nouveau_is_blacklisted",
        "mount -t tmpfs none /etc/modprobe.d",
        "modprobe: expected `blacklist nouveau`, found no such line",
        back="umount /etc/modprobe.d",
    ),
    Deviation("host_name", "echo elsewhere >/etc/hostname", "/etc/hostname: expected {host}, found elsewhere"),
    Deviation(
        "hosts_file",
        "sed -i '/localhost/d' /etc/hosts",
        "/etc/hosts: expected localhost at 127.0.0.1, found no such line",
    ),
]
