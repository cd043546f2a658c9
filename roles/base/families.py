"""What the families of operating systems call the same things."""

from __future__ import annotations

from dataclasses import dataclass

from gpufleet.facts.family import DEBIAN, EL


@dataclass(frozen=True)
class Family:
    """Names of one family of operating systems."""

    #: Timers and services that upgrade packages, or read the lists for it, by themselves.
    upgraders: tuple[str, ...]
    #: The unit of chrony, and its configuration.
    chrony_unit: str
    chrony_config: str


#: By the word that the fact OsFamily gives.
FAMILIES = {
    DEBIAN: Family(
        upgraders=("apt-daily.timer", "apt-daily-upgrade.timer", "unattended-upgrades.service"),
        chrony_unit="chrony.service",
        chrony_config="/etc/chrony/chrony.conf",
    ),
    EL: Family(
        upgraders=(
            "dnf-makecache.timer",
            "dnf-automatic.timer",
            "dnf-automatic-download.timer",
            "dnf-automatic-install.timer",
            "dnf-automatic-notifyonly.timer",
        ),
        chrony_unit="chronyd.service",
        chrony_config="/etc/chrony.conf",
    ),
}
