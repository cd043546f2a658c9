"""What packages are made for: driver releases, toolkits and the like, as the words that fill their declarations."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).parent / "data"
#: NVIDIA's packages for Ubuntu carry the branch in their names below this one.
UNSUFFIXED = 590
#: From this release on the open modules are called `nvidia` by DKMS, before it `nvidia-open`
#: (awslabs/amazon-eks-ami, install-nvidia-driver.sh).
RENAMED = (570, 148, 8)

Words = dict[str, str]


@functools.cache
def read(name: str) -> Any:
    """One file of the declarations."""
    return yaml.safe_load((DATA / f"{name}.yaml").read_text())


def words(each: str, family: str) -> Iterator[Words]:
    """The words for every release of a kind, such as `drivers`."""
    if each == "once":
        yield {}
    elif each == "pins":
        yield from pins()
    elif each == "drivers":
        yield from (driver(row, family) for row in read("releases")["drivers"])
    elif each in ("servers", "ended"):
        yield from (server(row) for row in read("releases")[each])
    elif each == "toolkits":
        yield from (toolkit(row) for row in read("releases")["toolkits"])
    else:
        yield from ({key: str(value) for key, value in row.items()} for row in read("releases")[each])


def driver(row: Mapping[str, Any], family: str) -> Words:
    """Words of a driver release."""
    version = str(row["version"])
    branch = int(version.split(".", maxsplit=1)[0])
    ubuntu = family == "ubuntu"
    return {
        "version": version,
        "branch": str(branch),
        "s": f"-{branch}" if branch < UNSUFFIXED else "",
        "full": f"{version}-{row['ubuntu'] if ubuntu else '1'}",
        "companion": f"{version}-{row['companion'] if ubuntu else '1'}",
        "cuda": str(row["cuda"]),
        "open-module": "nvidia" if tuple(map(int, version.split("."))) > RENAMED else "nvidia-open",
    }


def server(row: Mapping[str, Any]) -> Words:
    """Words of a release in Ubuntu's own archive, as packages of the branch for servers."""
    branch = str(row["version"]).partition(".")[0]
    return {
        **{key: str(value) for key, value in row.items()},
        **{"branch": branch, "s": f"-{branch}-server", "open-module": "nvidia"},
        **{"source": f"nvidia-graphics-drivers-{branch}-server", "section": "restricted/misc"},
    }


def toolkit(row: Mapping[str, Any]) -> Words:
    """Words of a CUDA toolkit."""
    major, minor = str(row["cuda"]).split(".")
    return {
        **{key: str(value) for key, value in row.items()},
        **{"major": major, "dash": f"{major}-{minor}", "priority": f"{major}{minor}"},
        **{"code": str(int(major) * 1000 + int(minor) * 10), "order": str(999 - int(major))},
    }


def pins() -> Iterator[Words]:
    """Words of the pinning packages: of branches, and of versions that have one."""
    for branch in read("releases")["pins"]:
        yield {"pin": str(branch), "kind": "branch", "glob": f"{branch}.*", "revision": f"{branch}-5"}
    for row in read("releases")["drivers"]:
        if row.get("pin"):
            version = str(row["version"])
            yield {"pin": version, "kind": "version", "glob": f"{version}-*", "revision": f"{version}-1"}
