"""What makes a stand-in say that it is another system: files written for it, and the script that puts them in place."""

from __future__ import annotations

from gpufleet.lab.bundle import Entry
from gpufleet.lab.systems import System

MACHINE_TARGET = "/usr/lib/gpufleet-lab-machine"
#: Where the EL stand-ins find the packages that stand for their own distribution's.
EL_ARCHIVE = "http://archive:3142/el"
#: Base repositories of a fresh Rocky Linux: name, repository id, and whether it is enabled.
EL_REPOSITORIES = (("BaseOS", "baseos", True), ("AppStream", "appstream", True), ("CRB", "crb", False))


def files(os: System) -> list[Entry]:
    """Files of a stand-in, below its own folder until its script has run; none for Debian itself."""
    if not os.stand_in:
        return []
    texts = {"os-release": os_release(os), **(el(os) if os.family == "el" else ubuntu(os))}
    return [Entry(f"{MACHINE_TARGET}/stand-in/{name}", text.encode()) for name, text in sorted(texts.items())]


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
    return {"lsb-release": "".join([*lines, f'DISTRIB_DESCRIPTION="{description}"\n'])}


def el(os: System) -> dict[str, str]:
    """Files that only Enterprise Linux has."""
    version, name = os.os_release["VERSION_ID"], os.os_release["VERSION"].partition(" ")[2]
    return {
        "redhat-release": f"Rocky Linux release {version} {name}\n",
        "kernel-release": f"{os.kernel}\n",
        "rocky.repo": "\n".join(repository(*row) for row in EL_REPOSITORIES),
        "stand-in.spec": "",
    }


def repository(name: str, identifier: str, enabled: bool) -> str:
    """One stanza of a file in /etc/yum.repos.d; dnf fills in release and architecture."""
    return (
        f"[{identifier}]\nname=Rocky Linux $releasever - {name}\n"
        f"baseurl={EL_ARCHIVE}/$releasever/{name}/$basearch/\n"
        f"gpgcheck=0\nenabled={int(enabled)}\n"
    )
