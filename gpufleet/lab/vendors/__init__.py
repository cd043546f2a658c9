"""The lab's vendor repositories: NVIDIA's layout, names, versions and relations, in packages of the lab's own.

`ensure()` builds what the archive serves below `/nvidia/` and `/ubuntu/`, signed by the lab's key. Whoever serves
packages of another maker declares them as `package.Package` and publishes a folder under its own name:

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

#: NVIDIA's file names of the key that signs apt and dnf repositories.
APT_KEY, DNF_KEY = "3bf863cc.pub", "D42D0685.pub"


def key() -> openpgp.Key:
    """The lab's key, made once per machine."""
    return openpgp.ensure(tree.home() / "key.pem")


def fingerprint() -> str:
    """Fingerprint of the lab's key: 40 upper-case hexadecimal digits."""
    return key().fingerprint


def ensure() -> Path:
    """Build NVIDIA's repositories unless their declarations are built already; returns the folder that is served."""
    from gpufleet.lab.vendors import nvidia  # noqa: PLC0415 (it signs with the key above)

    folder = Path(__file__).parent
    tree.publish("nvidia", tree.digest(folder, fingerprint()), nvidia.fill)
    return tree.root()
