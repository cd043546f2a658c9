"""What a repository offers that the host need not use yet: asked before anything of it is written down."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from pyinfra.api.facts import FactBase
from typing_extensions import override

from gpufleet.facts.family import by_family
from gpufleet.stack import rpm_versions

#: Seconds for an answer.
TIMEOUT = 20
#: apt's own way to fetch a file, with its proxies and credentials; it needs a directory, which goes at once.
_APT = (
    "d=$(mktemp -d); /usr/lib/apt/apt-helper -qq -o APT::Sandbox::User=root -o Acquire::Retries=0 "
    '-o Acquire::http::Timeout={seconds} -o Acquire::https::Timeout={seconds} download-file {index} "$d/index" '
    '2>/dev/null; grep -sE "^(Package|Version): " "$d/index"; rm -rf "$d"; true'
)
_DNF = (
    'd=$(mktemp -d); dnf --quiet --disableplugin=versionlock --setopt=cachedir="$d" --repofrompath=asked,{url} '
    "--repo=asked --setopt=asked.repo_gpgcheck=0 --setopt=asked.timeout={seconds} --setopt=asked.retries=1 "
    "repoquery --showduplicates --qf '%{{name}} %{{evr}}\\n' {packages} 2>/dev/null; rm -rf \"$d\"; true"
)
_STANZA = re.compile(r"Package: (\S+)\nVersion: (\S+)")


class OfferedVersions(FactBase[dict[str, list[str]]]):
    """Versions of packages in a repository without suites, newest first; none of any where it does not answer.

    Nothing is held against a signature: it serves to refuse, and never to install.
    """

    default = dict

    @override
    def command(self, url: str, packages: Sequence[str]) -> str:
        """Fetch the index below a URL that ends in a slash, or have dnf read it."""
        words = {"seconds": TIMEOUT, "packages": shlex.join(packages)}
        index = shlex.quote(f"{url}Packages")
        return by_family(_APT.format(index=index, **words), _DNF.format(url=shlex.quote(url), **words))

    @override
    def process(self, output: list[str]) -> dict[str, list[str]]:
        """An index has a stanza for each architecture, dnf a line for each."""
        pairs = _STANZA.findall("\n".join(output)) or [line.split() for line in output if len(line.split()) == 2]
        offered: dict[str, set[str]] = {}
        for name, version in pairs:
            offered.setdefault(name, set()).add(version)
        return {name: sorted(found, key=rpm_versions.order, reverse=True) for name, found in offered.items()}
