"""An imagined host for plans of the role nvidia_driver: it changes as the plan's commands ask it to."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from typing import Any, cast

from gpufleet.stack.versions import branch, upstream

FILE = {"mode": 644, "user": "root", "group": "root"}
DRIVER = re.compile(r"nvidia|libcuda|cuda-drivers")
#: A library that the driver's packages pull in, whose name carries branch and `-server` where theirs do.
PULLED_IN = "libnvidia-gpucomp"
RELEASES = ("595.58.03", "590.48.01", "580.105.08", "580.95.05", "570.195.03", "550.163.01", "535.261.03", "535.216.03")
_EVR = re.compile(r"(?P<name>.+)-(?P<version>(\d+:)?[^-:]+-[^-]+)")
_MARK = re.compile(r"printf '%s\\n' (?P<text>'.*?'|\S+) > /run/gpufleet/reboot-required/nvidia-driver")


@dataclass
class World:
    """A host at one moment. `mark` writes a release as this system's packages do: `580.95.05-0ubuntu1`."""

    mark: str = "-1"
    is_el: bool = False
    #: DKMS' name of the module, and whether builds by packages succeed.
    dkms_module: str = "nvidia"
    builds: bool = True
    installed: dict[str, str] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    locks: dict[str, str] = field(default_factory=dict)
    streams: dict[str, str] = field(default_factory=dict)
    built: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    loaded: str = ""
    flavor: str = ""
    signer: str = ""
    daemon: bool = False
    holders: list[Any] = field(default_factory=list)
    marks: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)

    def version(self, release: str) -> str:
        """A release as this system's packages have it."""
        return f"{self.mark.replace('@', release)}" if "@" in self.mark else f"{release}{self.mark}"

    @property
    def on_disk(self) -> str:
        """Version of the module that would be loaded."""
        return self.built.get(self.dkms_module, "")

    @property
    def userspace(self) -> str:
        """Version of the libraries."""
        found = [upstream(version) for name, version in self.installed.items() if name.startswith(PULLED_IN)]
        return found[0] if found else ""

    def offers(self, packages: Sequence[str]) -> dict[str, list[str]]:
        """Versions of packages that its repositories have; nothing of those that they do not have."""
        return {package: found for package in packages if (found := self.offered(package))}

    def offered(self, package: str) -> list[str]:
        """Versions to be had: every release of the branch in the name, or of all."""
        named = re.search(r"-([1-9]\d\d)(?=-|$)", package)
        if not DRIVER.search(package):
            return ["1.0-1"]
        if package.endswith("-headers"):
            return []
        return [self.version(row) for row in RELEASES if not named or branch(row) == int(named[1])]

    def run(self, command: str) -> None:
        """Change as a command of the plan asks."""
        for start, act in self._acts().items():
            if command.startswith(start):
                act(shlex.split(command.removeprefix(start).partition("(within")[0]))
                return
        if "modprobe" in command or "rmmod" in command:
            self._swap(loads="modprobe" in command)
        elif "systemctl" in command and "nvidia-persistenced" in command:
            self.daemon = "enable" in command
        elif mark := _MARK.search(command):
            self.marks["nvidia-driver"] = shlex.split(mark["text"])[0]

    def put(self, path: str, text: str) -> None:
        """Take a file."""
        self.files[path] = text

    def _acts(self) -> Mapping[str, Callable[[Sequence[str]], None]]:
        return {
            "apt-get install": self._install,
            "apt-get purge": self._remove,
            "apt-get remove": self._remove,
            "dnf install": lambda words: self._install([_apt_spec(word) for word in _after(words)]),
            "dnf remove": lambda words: self._remove(_after(words)),
            "dnf module": self._stream,
            "apt-mark hold": self.held.update,
            "apt-mark unhold": self.held.difference_update,
            "timeout 2400 dkms install": lambda words: self.built.update({self.dkms_module: words[4]}),
            "timeout 2400 dkms build": lambda words: setattr(self, "signer", "Fleet key"),
            "trust": lambda words: self.put(words[2], words[0]),
            "rm -f": self._forget,
        }

    def _install(self, specs: Sequence[str]) -> None:
        for spec in specs:
            name, version = spec.rpartition("/")[2].split("_")[:2] if "/" in spec else [*spec.split("="), ""][:2]
            if name.endswith("-"):
                self._remove([name[:-1]])
            else:
                self.installed[name] = version or self.offered(name)[0]
                self._bring(name, upstream(self.installed[name]))

    def _bring(self, name: str, release: str) -> None:
        """Bring what a driver's package depends on, and let DKMS build."""
        if not DRIVER.search(name) or release not in RELEASES or "pinning" in name:
            return
        suffix = re.search(r"-[1-9]\d\d(-server)?(?=-|$)", name)
        for old in [other for other in self.installed if other.startswith(PULLED_IN)]:
            del self.installed[old]
        self.installed[PULLED_IN + (suffix[0] if suffix else "")] = self.version(release)
        if self.builds:
            self.built[self.dkms_module] = release

    def _remove(self, names: Sequence[str]) -> None:
        for name in names:
            self.installed.pop(name, None)
            self.held.discard(name)
        if not any(DRIVER.search(name) for name in self.installed):
            self.built.clear()

    def _forget(self, paths: Sequence[str]) -> None:
        for path in paths:
            self.files.pop(path, None)

    def _stream(self, words: Sequence[str]) -> None:
        module, _, stream = words[-1].partition(":")
        self.streams.pop(module, None)
        if stream:
            self.streams[module] = stream

    def _swap(self, loads: bool) -> None:
        self.loaded = self.on_disk if loads else ""
        if loads:
            opened = any("open" in name for name in self.installed if "dkms" in name)
            self.flavor = "open" if opened else "proprietary"
            self.marks.pop("nvidia-driver", None)

    def file(self, path: str) -> dict[str, Any] | None:
        """What pyinfra would find at a path."""
        return {**FILE, "mode": self.modes.get(path, 644)} if path in self.files else None

    def digest(self, path: str, kind: str) -> str | None:
        """Checksum of a file."""
        if path not in self.files:
            return None
        return {"sha1": sha1, "sha256": sha256}[kind](self.files[path].encode()).hexdigest()


def _after(words: Sequence[str]) -> list[str]:
    return [*words[words.index("--") + 1 :]]


def _apt_spec(spec: str) -> str:
    match = _EVR.fullmatch(spec)
    return f"{match['name']}={match['version']}" if match and re.search(r"\d\.", match["version"]) else spec


def some(packages: Mapping[str, str], names: Sequence[str] | None) -> dict[str, str]:
    """Those of the packages that were asked for."""
    return {name: version for name, version in packages.items() if names is None or name in names}


def states(packages: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """States in dpkg's words."""
    return cast(dict[str, str], {name: "installed" for name in packages if name in names})
