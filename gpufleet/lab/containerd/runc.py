"""runc as Debian builds it, taken out of its package: Docker's containerd.io has one in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from gpufleet.lab import base, bringup, docker, image, network, sources, state, workshop
from gpufleet.lab.network import Network
from gpufleet.lab.recipe import Recipe
from gpufleet.lab.state import State
from gpufleet.project import cache_dir

#: apt in its image fetches for every release of Debian; a lab with a control plane has that image anyway.
SYSTEM = "debian-13"
FETCH = """
apt-get -q update
cd /tmp
apt-get -q download runc
dpkg-deb --extract runc_*.deb /extracted
cp "$(find /extracted -type f -path '*bin/runc')" /runc
"""


def ensure(lab: State, systems: Iterable[str], images: Mapping[str, str], say: base.Say) -> dict[str, bytes]:
    """Return the runc of systems such as `debian-12`, fetched through the lab's archive once a week."""
    return {system: _kept(lab, system, images, say).read_bytes() for system in systems}


def _kept(lab: State, system: str, images: Mapping[str, str], say: base.Say) -> Path:
    own, wanted = image.recipes([SYSTEM], images)[0], image.recipes([system], {})[0]
    path = cache_dir().absolute() / "runc" / f"{system}-{wanted.week}"
    with state.locked(path.with_name(f"{system}.lock")):
        if not path.is_file():
            say(f"runc: taking it out of Debian's package ({wanted.suite})")
            net = network.ensure(lab.lab)
            _fetch(own, wanted, net, path, say)
            for old in set(path.parent.glob(f"{system}-*")) - {path}:
                old.unlink()
    return path


def _fetch(own: Recipe, wanted: Recipe, net: Network, path: Path, say: base.Say) -> None:
    upstream = sources.discover(sources.read(), sources.probe)
    if not docker.image_exists(own.base_tag()):
        base.ensure(own, net, upstream, say)
    files = workshop.archive_list(wanted, net, upstream or bringup.from_images([own]))
    script = workshop.USE_LIST + FETCH
    with workshop.made(own.base_tag(), f"runc-{wanted.system}", script, files, network=net.name) as container:
        partial = path.with_name(f"{path.name}.part")
        docker.docker("cp", f"{container}:/runc", str(partial))
        partial.replace(path)
