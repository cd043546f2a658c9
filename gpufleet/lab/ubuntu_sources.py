"""Where the stand-ins of Ubuntu find what Canonical packs: their entry in apt's sources, and the key it names."""

from __future__ import annotations

from gpufleet.lab.systems import System
from gpufleet.lab.vendors import canonical

#: Where the lab's archive serves Ubuntu's.
ARCHIVE = "http://archive:3142/ubuntu"
#: Where Ubuntu keeps the key of its archive; here it is the lab's.
KEY = "/usr/share/keyrings/ubuntu-archive-keyring.gpg"


def restricted(os: System) -> str:
    """The entry in deb822: of all components the one with the driver, of all suites those on by default."""
    suites = " ".join(canonical.suites(os.os_release["VERSION_CODENAME"]))
    return f"Types: deb\nURIs: {ARCHIVE}\nSuites: {suites}\nComponents: {canonical.COMPONENT}\nSigned-By: {KEY}\n"
