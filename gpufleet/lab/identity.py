"""What makes a stand-in say that it is another system: files written for it, and the script that puts them in place."""

from __future__ import annotations

from gpufleet.lab import el_packages, el_sources, ubuntu_sources, vendors
from gpufleet.lab.bundle import Entry
from gpufleet.lab.systems import System
from gpufleet.lab.vendors import rpm

MACHINE_TARGET = "/usr/lib/gpufleet-lab-machine"
#: The main section as Rocky Linux ships it.
DNF_CONF = (
    "[main]\ngpgcheck=1\ninstallonly_limit=3\nclean_requirements_on_remove=True\nbest=True\nskip_if_unavailable=False\n"
)
#: Where modules are sought, as kmod of Enterprise Linux has it: those that DKMS builds come before the kernel's own.
DEPMOD = "search updates extra built-in weak-updates\n"


def files(os: System) -> list[Entry]:
    """Files of a stand-in, below its own folder until its script has run; none for Debian itself."""
    if not os.stand_in:
        return []
    texts = {"os-release": os_release(os), **(el(os) if os.family == "el" else ubuntu(os))}
    data = {name: text.encode() for name, text in texts.items()}
    data |= installed(os) if os.family == "el" else {"ubuntu-archive-keyring.gpg": vendors.key().public()}
    given = [Entry(f"{MACHINE_TARGET}/stand-in/{name}", content) for name, content in sorted(data.items())]
    return [*given, *([Entry("/etc/depmod.d/dist.conf", DEPMOD.encode())] if os.family == "el" else [])]


def steps(os: System) -> list[str]:
    """Commands that turn a finished host image into the stand-in; the script of each family is in machine/."""
    return [f"{MACHINE_TARGET}/stand-in-{os.family}"] if os.stand_in else []


def os_release(os: System) -> str:
    """Text of /etc/os-release; Enterprise Linux puts every value in quotes, Ubuntu leaves words bare."""
    bare = os.family != "el"
    return "".join(
        f"{key}={value}\n" if bare and value.islower() and value.isalpha() else f'{key}="{value}"\n'
        for key, value in os.os_release.items()
    )


def ubuntu(os: System) -> dict[str, str]:
    """Files that only Ubuntu has."""
    fields = os.os_release
    description = fields["PRETTY_NAME"]
    lsb = {"ID": "Ubuntu", "RELEASE": fields["VERSION_ID"], "CODENAME": fields["VERSION_CODENAME"]}
    lines = [f"DISTRIB_{key}={value}\n" for key, value in lsb.items()]
    return {
        "lsb-release": "".join([*lines, f'DISTRIB_DESCRIPTION="{description}"\n']),
        "ubuntu.sources": ubuntu_sources.restricted(os),
    }


def el(os: System) -> dict[str, str]:
    """Files that only Enterprise Linux has."""
    version, name = os.os_release["VERSION_ID"], os.os_release["VERSION"].partition(" ")[2]
    return {
        "redhat-release": f"Rocky Linux release {version} {name}\n",
        "kernel-release": f"{os.kernel}\n",
        "rocky.repo": el_sources.base(),
        "dnf.conf": DNF_CONF,
    }


def installed(os: System) -> dict[str, bytes]:
    """The key of the lab's packages, and the packages with which the host's rpm database begins."""
    key = vendors.key()
    built = [rpm.build(package, key) for package in el_packages.installed(os)]
    return {"key.asc": key.armored(), **{f"installed/{one.filename}": one.data for one in built}}
