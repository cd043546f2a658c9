"""The stand-in packages of Enterprise Linux: what a minimal installation has, and what its repositories offer.

They are empty but for their names, versions and relations: the programs themselves are in the image, from Debian. What
others look for and the image lacks is a file of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from gpufleet.lab import el_sources
from gpufleet.lab.systems import System
from gpufleet.lab.vendors.package import File, Package

#: Package -> what it provides beside its own name, for the relations of vendors' packages.
MINIMAL: Mapping[str, tuple[str, ...]] = {
    "bash": ("/bin/sh", "/usr/bin/sh", "/bin/bash", "/usr/bin/bash"),
    "ca-certificates": (),
    "chrony": (),
    "coreutils": ("/usr/bin/install", "/usr/bin/mkdir"),
    "curl": (),
    "dnf": ("yum",),
    "dracut": (),
    "filesystem": (),
    "glibc": ("libc.so.6()(64bit)", "libm.so.6()(64bit)", "libdl.so.2()(64bit)", "libpthread.so.0()(64bit)",
              "ld-linux-x86-64.so.2()(64bit)", "rtld(GNU_HASH)"),
    "grubby": (),
    "iproute": (),
    "kmod": ("/usr/sbin/depmod", "/sbin/depmod", "/usr/sbin/modprobe"),
    "openssh-server": (),
    "openssl": (),
    "pciutils": (),
    "procps-ng": (),
    "python3": ("/usr/bin/python3", "python(abi)"),
    "python3-dnf": (),
    "rpm": (),
    "sed": ("/usr/bin/sed",),
    "shadow-utils": ("/usr/sbin/useradd", "/usr/sbin/groupadd"),
    "sudo": (),
    "systemd": ("systemd-units", "/usr/bin/systemctl"),
    "systemd-udev": ("udev",),
    "util-linux": ("/usr/bin/mountpoint",),
}  # fmt: skip
#: Parts of the kernel that a minimal installation has.
KERNEL = ("kernel", "kernel-core", "kernel-modules", "kernel-modules-core")
#: Repository -> packages offered there, with what they depend on.
OFFERED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "BaseOS": {
        "gnupg2": (),
        "mokutil": (),
        "tuned": (),
        "kmod-libs": (),
        "pciutils-libs": (),
        "numactl": (),
        "logrotate": (),
        "rdma-core": ("systemd-udev",),
        "libibverbs": ("rdma-core",),
        "libibverbs-utils": ("libibverbs",),
        "librdmacm": ("rdma-core", "libibverbs"),
        "librdmacm-utils": ("librdmacm", "libibverbs"),
        "libibumad": ("rdma-core",),
        "infiniband-diags": ("libibumad",),
        "perftest": ("libibverbs", "librdmacm", "libibumad"),
        "opensm-libs": (),
        "opensm": ("opensm-libs", "libibumad", "rdma-core", "logrotate"),
        "mstflint": (),
    },
    "AppStream": {
        "gcc": ("make",),
        "gcc-c++": ("gcc",),
        "make": (),
        "createrepo_c": (),
        "dnf-plugins-core": ("python3-dnf-plugins-core",),
        "python3-dnf-plugins-core": (),
        "python3-dnf-plugin-versionlock": (),
        "elfutils-libelf-devel": (),
        "libglvnd": (),
        "libglvnd-egl": ("libglvnd",),
        "libglvnd-glx": ("libglvnd",),
        "libglvnd-opengl": ("libglvnd",),
        "openssl-devel": (),
    },
    "extras": {},
    "CRB": {"ninja-build": ()},
    "EPEL": {"dkms": ("gcc", "make", "kernel-devel"), "htop": ()},
}


def answer(path: str, text: str, status: int = 0) -> tuple[File, ...]:
    """Return a program that says what the real one says on a machine that lacks what it works on."""
    return (File(path, f"#!/bin/sh\necho {text!r} >&2\nexit {status}\n".encode(), mode=0o755),)


#: Programs that roles start or look for: there are no ports, and adapters do not answer.
FILES: Mapping[str, tuple[File, ...]] = {
    "infiniband-diags": answer("/usr/sbin/ibstat", "no InfiniBand ports in the lab"),
    "opensm": answer("/usr/sbin/opensm", "No local ports detected!", 1),
    "mstflint": (
        *answer("/usr/bin/mstflint", "-E- Cannot open Device", 1),
        *answer("/usr/bin/mstconfig", "-E- Failed to open device", 1),
    ),
}
#: Version of a stand-in package whose version decides nothing.
VERSION = "1.0-1"


def installed(os: System) -> tuple[Package, ...]:
    """Packages in the database of a fresh host."""
    plain = [Package(name, version(os), provides=provides) for name, provides in MINIMAL.items()]
    kernel = [Package(name, kernel_version(os), provides=kernel_provides(os, name)) for name in KERNEL]
    return (release(os), *plain, *kernel)


def offered(os: System) -> Mapping[str, tuple[Package, ...]]:
    """Packages of each repository: what could be installed, and what is."""
    found = {
        repository: tuple(
            Package(name, version(os), depends=depends, files=FILES.get(name, ())) for name, depends in packages.items()
        )
        for repository, packages in OFFERED.items()
    }
    devel = [
        Package("kernel-devel", kernel_version(os), provides=kernel_provides(os, "kernel-devel")),
        Package("kernel-headers", kernel_version(os)),
        Package(
            "kernel-devel-matched",
            kernel_version(os),
            depends=(f"kernel-devel = {kernel_version(os)}", f"kernel-core = {kernel_version(os)}"),
        ),
    ]
    epel = Package(
        "epel-release",
        version(os),
        architecture="all",
        files=(File("/etc/yum.repos.d/epel.repo", el_sources.epel().encode(), config=True),),
    )
    own = {"BaseOS": installed(os), "AppStream": devel, "extras": [epel]}
    return {repository: (*packages, *own.get(repository, ())) for repository, packages in found.items()}


def release(os: System) -> Package:
    """The package that says which release this is: dnf takes $releasever and the module platform from it."""
    full, major = os.os_release["VERSION_ID"], os.os_release["VERSION_ID"].partition(".")[0]
    evr = f"{full}-1.1.el{major}"
    provides = (
        f"rocky-release({major})",
        f"system-release = {evr}",
        f"system-release(releasever) = {major}",
        f"redhat-release = {full}",
        f"base-module(platform:el{major})",
    )
    return Package("rocky-release", evr, architecture="all", provides=provides)


def version(os: System) -> str:
    """Version of the packages that have none of their own."""
    return f"{VERSION}.el{os.os_release['VERSION_ID'].partition('.')[0]}"


def kernel_version(os: System) -> str:
    """Version and release of the kernel's packages: `uname -r` without the architecture."""
    return os.kernel.rpartition(".")[0]


def kernel_provides(os: System, name: str) -> tuple[str, ...]:
    """What a part of the kernel provides: its `uname -r`, by which others ask for it."""
    return (f"{name}-uname-r = {os.kernel}",)
