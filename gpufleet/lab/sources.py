"""The machine's own apt sources: where the lab's packages come from, so that no mirror stands in any file."""

from __future__ import annotations

import functools
import re
import subprocess
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

#: apt settings about the age of an archive that the lab's hosts take over when the machine has switched them off.
AGE_CHECKS = ("Acquire::Check-Valid-Until", "Acquire::Check-Date")
#: Seconds for one answer from an archive.
TIMEOUT = 60

#: (base address, suite) -> text of the suite's InRelease file, or None where there is none.
Probe = Callable[[str, str], str | None]


@dataclass(frozen=True)
class Source:
    """One package source of apt."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]


@dataclass(frozen=True)
class Upstream:
    """Where Debian's archive and its security archive are, as this machine reaches them."""

    debian: str
    security: str | None


def read(root: Path = Path("/etc/apt")) -> list[Source]:
    """All enabled binary sources of this machine, in both of apt's notations."""
    lists = [root / "sources.list", *sorted(root.glob("sources.list.d/*.list"))]
    found = [source for path in lists if path.is_file() for source in one_line(path.read_text())]
    for path in sorted(root.glob("sources.list.d/*.sources")):
        found.extend(deb822(path.read_text()))
    return found


def one_line(text: str) -> Iterator[Source]:
    """Sources in the notation `deb [options] URI SUITE COMPONENT...`."""
    for line in text.splitlines():
        words = re.sub(r"\[[^]]*\]", " ", line.split("#")[0]).split()
        if len(words) >= 3 and words[0] == "deb":
            yield from usable(words[1], (words[2],), tuple(words[3:]))


def deb822(text: str) -> Iterator[Source]:
    """Sources in stanzas of `Types:`, `URIs:`, `Suites:` and `Components:`."""
    for stanza in re.split(r"\n\s*\n", re.sub(r"(?m)^#.*\n?", "", text)):
        pairs = re.findall(r"(?m)^([\w-]+):((?:.*)(?:\n[ \t].*)*)", stanza)
        fields = {key.lower(): value.split() for key, value in pairs}
        if "deb" in fields.get("types", []) and fields.get("enabled", ["yes"])[0].lower() not in ("no", "false", "0"):
            for uri in fields.get("uris", []):
                yield from usable(uri, tuple(fields.get("suites", [])), tuple(fields.get("components", [])))


def usable(uri: str, suites: tuple[str, ...], components: tuple[str, ...]) -> Iterator[Source]:
    """The source with an address that can be fetched; a `mirror+file:` list stands for its first entry."""
    if uri.startswith("mirror+file:"):
        path = Path(re.sub(r"^mirror\+file:/*", "/", uri))
        words = path.read_text().split() if path.is_file() else []
        uri = words[0] if words else ""
    if re.match(r"https?://|file:/", uri):
        yield Source(uri.rstrip("/"), suites, components)


def discover(sources: Iterable[Source], probe: Probe) -> Upstream | None:
    """Debian's archives among the sources, told by what their Release files say of themselves."""
    found: dict[str, str] = {}
    for source in sources:
        if "main" in source.components and source.suites:
            origin, label = described(probe(source.uri, source.suites[0]) or "")
            if origin == "Debian":
                found.setdefault(label, source.uri)
    return Upstream(found["Debian"], found.get("Debian-Security")) if "Debian" in found else None


def described(release: str) -> tuple[str, str]:
    """Origin and label that a Release file gives."""
    fields = dict(re.findall(r"(?m)^(Origin|Label): *(.*?) *$", release))
    return fields.get("Origin", ""), fields.get("Label", "")


def probe(uri: str, suite: str) -> str | None:
    """Fetch the beginning of a suite's InRelease file."""
    try:
        with opener().open(f"{uri}/dists/{suite}/InRelease", timeout=TIMEOUT) as response:
            return str(response.read(4096).decode(errors="replace"))
    except OSError:
        return None


def opener(headers: Mapping[str, str] | None = None) -> urllib.request.OpenerDirector:
    """Fetches through the environment's proxies or else apt's own, trusting the machine's authorities."""
    made = urllib.request.build_opener(urllib.request.ProxyHandler(proxies()))
    made.addheaders += (headers or {}).items()
    return made


@functools.cache
def proxies() -> dict[str, str]:
    """Proxy per scheme: the environment's, else apt's own."""
    own = {scheme: setting(f"Acquire::{scheme}::Proxy") for scheme in ("http", "https")}
    return {scheme: proxy for scheme, proxy in own.items() if proxy} | urllib.request.getproxies()


def setting(name: str) -> str:
    """Value of one of the machine's apt settings; empty where apt is absent or the setting unset."""
    try:
        result = subprocess.run(["apt-config", "shell", "value", name], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return result.stdout.strip().removeprefix("value=").strip("'")


def age_settings() -> str:
    """The machine's own relaxations of apt's age checks, as lines of apt.conf; usually none."""
    return "".join(f'{name} "false";\n' for name in AGE_CHECKS if setting(name) in ("false", "no", "0"))
