"""Where the stand-ins of Enterprise Linux look for packages: files of /etc/yum.repos.d, and the key they name."""

from __future__ import annotations

#: Where the lab's archive serves what el_repositories builds.
ARCHIVE = "http://archive:3142/el"
#: File of the key that signs all of the lab's own packages.
KEY = "/etc/pki/rpm-gpg/RPM-GPG-KEY-gpufleet-lab"
#: Repositories that a fresh Rocky Linux knows: folder, identifier, and whether it is enabled.
FRESH = (
    ("BaseOS", "baseos", True),
    ("AppStream", "appstream", True),
    ("extras", "extras", True),
    ("CRB", "crb", False),
)


def base() -> str:
    """The file with the distribution's own repositories."""
    return "\n".join(
        stanza(f"Rocky Linux $releasever - {folder}", folder, identifier, enabled)
        for folder, identifier, enabled in FRESH
    )


def epel() -> str:
    """The file that comes with the package epel-release."""
    return stanza("Extra Packages for Enterprise Linux $releasever - $basearch", "EPEL", "epel", True)


def stanza(title: str, folder: str, identifier: str, enabled: bool) -> str:
    """One repository; dnf fills in release and architecture."""
    return (
        f"[{identifier}]\nname={title}\nbaseurl={ARCHIVE}/$releasever/{folder}/$basearch/\n"
        f"gpgcheck=1\nenabled={int(enabled)}\ngpgkey=file://{KEY}\n"
    )
