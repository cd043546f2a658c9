"""The operating systems of lab hosts: Debian itself, and stand-ins for others on a Debian root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Family = Literal["debian", "ubuntu", "el"]

#: What a stand-in begins with and Debian hosts lack: a compiler, DKMS and the headers of its kernel, so that builds are
#: real where the family's own packages of these names cannot be had, and tests need not install them each time.
BUILD_TOOLS = ("gcc", "make", "libc6-dev", "dkms", "linux-headers-amd64", "mokutil", "openssl", "gnupg")
#: The family's real package tools, from Debian: dnf 4 with libmodulemd, its plugins, rpm; and its initramfs builder.
DNF = ("dnf", "dnf-plugins-core", "rpm", "dracut", "chrony", "curl", "python3")


@dataclass(frozen=True)
class System:
    """An operating system of lab hosts: the Debian release below it, and what it says of itself."""

    #: Codename of the Debian release that the root is made of.
    suite: str
    family: Family = "debian"
    #: Fields of /etc/os-release; empty where the root's own stays.
    os_release: Mapping[str, str] = field(default_factory=dict)
    #: Release of the emulated kernel where it is not that of the root's own newest kernel.
    kernel: str = ""

    @property
    def stand_in(self) -> bool:
        """Whether this is another system than the one whose packages it consists of."""
        return self.family != "debian"

    @property
    def layer(self) -> str:
        """Name of the package layer that all stand-ins of a family share; empty for a system with its own."""
        return f"{self.family}-stand-in" if self.stand_in else ""

    @property
    def packages(self) -> tuple[str, ...]:
        """Packages beyond those of every host."""
        return {"debian": (), "ubuntu": BUILD_TOOLS, "el": (*BUILD_TOOLS, *DNF)}[self.family]

    @property
    def initramfs(self) -> str:
        """The package that builds the initramfs: dracut in Enterprise Linux, which excludes Debian's."""
        return "dracut" if self.family == "el" else "initramfs-tools"


def _ubuntu(version: str, point: str, codename: str, animal: str) -> System:
    return System(
        "bookworm",
        "ubuntu",
        {
            "PRETTY_NAME": f"Ubuntu {point} LTS",
            "NAME": "Ubuntu",
            "VERSION_ID": version,
            "VERSION": f"{point} LTS ({animal})",
            "VERSION_CODENAME": codename,
            "ID": "ubuntu",
            "ID_LIKE": "debian",
            "UBUNTU_CODENAME": codename,
        },
    )


def _rocky(version: str, name: str, kernel: str) -> System:
    major = version.partition(".")[0]
    return System(
        "bookworm",
        "el",
        {
            "NAME": "Rocky Linux",
            "VERSION": f"{version} ({name})",
            "ID": "rocky",
            "ID_LIKE": "rhel centos fedora",
            "VERSION_ID": version,
            "PLATFORM_ID": f"platform:el{major}",
            "PRETTY_NAME": f"Rocky Linux {version} ({name})",
            "CPE_NAME": f"cpe:/o:rocky:rocky:{major}::baseos",
            "ROCKY_SUPPORT_PRODUCT": f"Rocky-Linux-{major}",
            "ROCKY_SUPPORT_PRODUCT_VERSION": version,
            "REDHAT_SUPPORT_PRODUCT": "Rocky Linux",
            "REDHAT_SUPPORT_PRODUCT_VERSION": version,
        },
        kernel,
    )


#: Every system by the name that `--os`, `lab status` and the inventory's groups give it. The kernels of Rocky Linux
#: have names of the lines of 9.6 and 10.0 (5.14.0-570, 6.12.0-55): package names made of `uname -r` are theirs.
SYSTEMS: Mapping[str, System] = {
    "debian-12": System("bookworm"),
    "debian-13": System("trixie"),
    "ubuntu-22.04-stand-in": _ubuntu("22.04", "22.04.5", "jammy", "Jammy Jellyfish"),
    "ubuntu-24.04-stand-in": _ubuntu("24.04", "24.04.3", "noble", "Noble Numbat"),
    "rocky-9-stand-in": _rocky("9.6", "Blue Onyx", "5.14.0-570.17.1.el9_6.x86_64"),
    "rocky-10-stand-in": _rocky("10.0", "Red Quartz", "6.12.0-55.9.1.el10_0.x86_64"),
}
