"""A small matrix without contradictions, as YAML would hold it, for tests that break one thing in it."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import yaml

DAY = datetime.date(2026, 1, 1)
Content = dict[str, Any]


def row(**fields: Any) -> Content:
    """Return a row with a source and a date."""
    return {"source": "a document", "date": DAY} | fields


def branch(number: int, cuda: str, **fields: Any) -> Content:
    return (
        row(
            branch=number,
            kind="LTSB",
            first_release=datetime.date(2025, 1, 1),
            end_of_life=datetime.date(2028, 1, 1),
            cuda=cuda,
            flavors=["open", "proprietary"],
        )
        | fields
    )


def scheme(**fields: Any) -> Content:
    return (
        row(
            systems=["ubuntu-24.04"],
            origin="nvidia",
            branches="570-580",
            flavor="open",
            profile="compute",
            packages=["libnvidia-compute-{branch}"],
            dkms_modules={"0": "nvidia"},
        )
        | fields
    )


def companion(**fields: Any) -> Content:
    return (
        row(
            component="imex", packaging="deb", branches="570-579", name="nvidia-imex-{branch}", needed_by=["multi-node"]
        )
        | fields
    )


def toolkit(version: str, driver: str, **fields: Any) -> Content:
    return (
        row(
            version=version,
            minimum_driver=driver,
            toolkit=f"cuda-toolkit-{version}",
            compat=f"cuda-compat-{version}",
            systems=["ubuntu-24.04"],
        )
        | fields
    )


def generation(name: str = "hopper", **fields: Any) -> Content:
    return row(
        generation=name, first_branch=520, open_modules="supported", open_from=525, open_default_from=560,
        first_cuda="12.8",
    ) | fields  # fmt: skip


def gpu_range(first: str, last: str, name: str = "hopper") -> Content:
    return row(first=first, last=last, generation=name, chips="X")


VALID: Content = {
    "branches": [branch(570, "12.8"), branch(580, "13.0")],
    "releases": [row(branch=580, version="580.95.05", released=datetime.date(2025, 10, 1))],
    "generations": [generation()],
    "gpu_ranges": [gpu_range("2300", "233f")],
    "gpu_products": [row(id="2330", name="H100", generation="hopper")],
    "schemes": [scheme()],
    "companions": [companion()],
    "kernels": [row(branches="570-580", oldest="4.15", newest="6.12")],
    "repositories": [
        row(name="cuda", system="ubuntu-24.04", arch="x86_64", packaging="deb", base_url="https://example.com/",
            path="repos/", key_file="key.pub", fingerprint="A" * 40)
    ],
    "cuda_majors": [row(major=12, floor=525, window_end=580), row(major=13, floor=580)],
    "cuda": [toolkit("12.8", "570.26"), toolkit("13.0", "580.65.06")],
    "nccl": [row(version="2.28.3", cuda="13.0", minimum_branch=580)],
    "dcgm_majors": [row(major=4, packages=["core"], cuda_majors=[12, 13], minimum_branch=450)],
    "dcgm": [row(version="4.4.1", cuda_majors=[12, 13])],
    "gdrcopy": [row(version="2.5", minimum_branch=450, deb=["gdrdrv-dkms"], rpm=["gdrcopy-kmod"])],
    "ofed": [row(version="inbox", kind="inbox", systems=["ubuntu-24.04"])],
    "rdma_stacks": [row(kind="inbox", packaging="deb", packages=["rdma-core"])],
    "toolkit": [row(version="1.18.0", minimum_branch=450, minimum_containerd="2.1")],
    "containerd": [
        row(series="2.1", config_version=3, kubernetes=["1.34"], released=datetime.date(2025, 5, 7),
            end_of_life=datetime.date(2026, 5, 5))
    ],
    "kubernetes": [
        row(version="1.34", released=datetime.date(2025, 8, 27), end_of_life=datetime.date(2026, 10, 27),
            oldest_kubelet="1.31", containerd=["2.1.3"])
    ],
}  # fmt: skip


def write(file: Path, content: Any) -> Path:
    """Write content as YAML and return the file."""
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file
