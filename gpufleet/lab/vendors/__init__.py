"""The lab's vendor repositories: NVIDIA's layout, names, versions and relations, in packages of the lab's own.

`ensure()` builds what the archive serves below `/nvidia/`, `/mellanox/`, `/libnvidia-container/` and `/ubuntu/`, signed
by the lab's key.
Whoever serves packages of another maker declares them as `package.Package` and publishes a folder under its own name:

    def fill(folder: Path) -> None:
        built = [rpm.build(package, vendors.key()) for package in packages]
        yum.index(folder / "9/BaseOS/x86_64", built, vendors.key())

    tree.publish("el", tree.digest(Path(__file__).parent, vendors.fingerprint()), fill)

which the archive then serves as `http://archive:3142/el/9/BaseOS/x86_64/`. `apt.index(folder, debs, key)` does the
same for flat apt repositories.
"""

from __future__ import annotations

from pathlib import Path

from gpufleet.lab.vendors import openpgp, tree


def key() -> openpgp.Key:
    """The lab's key, made once per machine."""
    return openpgp.ensure(tree.home() / "key.pem")


def fingerprint() -> str:
    """Fingerprint of the lab's key: 40 upper-case hexadecimal digits."""
    return key().fingerprint


def ensure() -> Path:
    """Build NVIDIA's repositories, DOCA's and Ubuntu's unless their parts are built; returns the folder served."""
    from gpufleet.lab.vendors import canonical, container_toolkit, mellanox, nvidia  # noqa: PLC0415 (they sign with the key above)

    content = tree.digest(Path(__file__).parent, fingerprint())
    tree.publish("nvidia", content, nvidia.fill)
    tree.publish("mellanox", content, mellanox.fill)
    tree.publish("libnvidia-container", content, container_toolkit.fill)
    tree.publish("ubuntu", content, canonical.fill)
    return tree.root()
