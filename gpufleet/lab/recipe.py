"""What goes into a host's image, and the hash that names the image by its content."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
from dataclasses import dataclass
from pathlib import Path

from gpufleet.lab import bundle, compilations, identity, sources
from gpufleet.lab.bundle import Entry
from gpufleet.lab.identity import MACHINE_TARGET
from gpufleet.lab.systems import SYSTEMS, System

#: Packages of a freshly installed machine; no compiler, headers or DKMS: roles bring those. Stand-ins begin with more.
#: ccache compiles nothing by itself: compilations.py says what it is for.
PACKAGES = (
    *("systemd", "systemd-sysv", "libpam-systemd", "dbus", "udev", "kmod", "procps", "psmisc", "util-linux"),
    *("openssh-server", "sudo", "python3-minimal", "iproute2", "pciutils", "ca-certificates", "apt-utils", "zstd"),
    *("linux-image-amd64", "initramfs-tools", "ccache"),
)
#: dpkg leaves these out, which halves the time of an installation.
EXCLUDED = ("/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/man/*")
#: What keeps an initramfs small and quick to build, by the package that builds it: a file and its text.
INITRAMFS = {
    "initramfs-tools": ("/etc/initramfs-tools/conf.d/gpufleet-lab", "MODULES=list\n"),
    "dracut": (
        "/etc/dracut.conf.d/gpufleet-lab.conf",
        'hostonly="yes"\ncompress="cat"\ndracutmodules=" base kernel-modules udev-rules "\n',
    ),
}
MACHINE, EMULATION = Path(__file__).parent / "machine", Path(__file__).parent / "emulation"
EMULATION_TARGET = "/usr/lib/gpufleet-lab"
#: Repository of all image tags; `docker images gpufleet-lab` lists them.
REPOSITORY = "gpufleet-lab"
#: Where hosts find packages; the name is in their /etc/hosts.
ARCHIVE = "http://archive:3142"


@dataclass(frozen=True)
class Recipe:
    """An operating system, the ready image it starts from (empty: mmdebstrap), and the week of the archive."""

    system: str
    image: str = ""
    week: str = ""

    @property
    def os(self) -> System:
        """What the operating system consists of."""
        return SYSTEMS[self.system]

    @property
    def suite(self) -> str:
        """Name of the Debian release."""
        return self.os.suite

    @property
    def packages(self) -> tuple[str, ...]:
        """Debian packages of the package layer."""
        own = tuple(self.os.initramfs if name in INITRAMFS else name for name in PACKAGES)
        return (*own, *self.os.packages)

    @property
    def initramfs(self) -> tuple[str, str]:
        """The file that keeps an initramfs small, and its text."""
        return INITRAMFS[self.os.initramfs]

    def base_tag(self) -> str:
        """Tag of the image with the packages in it; stand-ins of one family share it."""
        layer = dataclasses.replace(self, system=self.os.layer or self.system)
        return tag(layer.system, "base", repr((layer, self.packages, EXCLUDED, self.initramfs)))

    def tag(self, parts: list[Entry]) -> str:
        """Tag of the image that hosts start from, with the given files in it."""
        return tag(self.system, "host", self.base_tag() + bundle.digest(parts))


def tag(system: str, stage: str, content: str) -> str:
    """Image tag with a hash of the content."""
    return f"{REPOSITORY}:{system}-{stage}-{hashlib.sha256(content.encode()).hexdigest()[:16]}"


def this_week() -> str:
    """ISO year and week: the archive moves, and headers of an old kernel vanish from it."""
    year, week, _ = datetime.datetime.now(datetime.UTC).isocalendar()
    return f"{year}-W{week:02}"


def parts(os: System, suites: list[str], security: list[str]) -> list[Entry]:
    """Files of this package that go into the image, with the given suites in the package sources."""
    return [
        *bundle.tree(MACHINE, MACHINE_TARGET),
        *bundle.tree(EMULATION, EMULATION_TARGET),
        Entry(f"{MACHINE_TARGET}/debian.sources", package_sources(suites, security).encode()),
        Entry(f"{MACHINE_TARGET}/apt.conf", apt_settings().encode()),
        *compilations.files(),
        *identity.files(os),
    ]


def package_sources(suites: list[str], security: list[str]) -> str:
    """The deb822 file of a host, laid out as Debian's installer and images lay it out: one component, `main`."""
    return "\n".join(
        f"Types: deb\nURIs: {ARCHIVE}/{path}\nSuites: {' '.join(names)}\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
        for path, names in (("debian", suites), ("debian-security", security))
        if names
    )


def apt_settings() -> str:
    """apt.conf of a host: no proxy for the lab's archive, and the machine's relaxations of age checks, if any."""
    return f'Acquire::http::Proxy::archive "DIRECT";\nAcquire::Languages "none";\n{sources.age_settings()}'
