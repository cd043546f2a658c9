"""Every contradiction that the loader knows, one broken matrix each, with the whole lines."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from gpufleet.errors import FaultsFoundError
from gpufleet.stack.matrix.contradictions import CHECKS
from gpufleet.stack.matrix.loader import load_from
from tests.unit.stack.matrix.valid import (
    VALID,
    branch,
    companion,
    generation,
    gpu_range,
    row,
    scheme,
    toolkit,
    write,
)  # fmt: skip

EARLY, LATE = datetime.date(2024, 1, 1), datetime.date(2025, 12, 1)
CONTAINERD, KUBERNETES = VALID["containerd"][0], VALID["kubernetes"][0]

#: What to put in the place of a subject's rows, and the lines that follow "m.yaml: ", by check and case.
CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "unverified without reason": (
        {"ofed": [row(version="inbox", kind="inbox", systems=["debian-13"], verified=False)]},
        ["ofed inbox: is marked as not verified, without a note; say in its note why"],
    ),
    "the same row twice": (
        {"nccl": [*VALID["nccl"], row(version="2.28.3", cuda="13.0", minimum_branch=590)]},
        ["nccl 2.28.3 13.0: is there already, in m.yaml; keep one of the two"],
    ),
    "branch_lives": (
        {"branches": [branch(570, "12.8"), branch(580, "13.0", end_of_life=EARLY)]},
        ["branch 580: ends on 2024-01-01, before its first release on 2025-01-01; correct one of the two dates"],
    ),
    "release_branches: another branch's": (
        {"releases": [row(branch=580, version="570.86.15")]},
        ["release 570.86.15: stands under branch 580; its branch is 570"],
    ),
    "release_branches: no such branch": (
        {"releases": [row(branch=999, version="999.1")]},
        ["release 999.1: belongs to branch 999, which has no row; add the branch"],
    ),
    "release_branches: before the branch": (
        {"releases": [row(branch=580, version="580.1", released=EARLY)]},
        [
            "release 580.1: is of 2024-01-01, before the first release in m.yaml: branch 580 on 2025-01-01; "
            "correct one of the two dates"
        ],
    ),
    "release_order": (
        {"releases": [
            row(branch=580, version="580.95.05", released=LATE),
            row(branch=580, version="580.105.08", released=datetime.date(2025, 11, 1)),
        ]},
        [
            "release 580.105.08: is of 2025-11-01, before m.yaml: release 580.95.05 of 2025-12-01; "
            "correct one of the two dates"
        ],
    ),
    "generation_lives: first after last": (
        {"generations": [generation(first_branch=590, last_branch=580)]},
        ["generation hopper: begins with branch 590, after its last branch 580; correct one of the two"],
    ),
    "generation_lives: open modules without a branch": (
        {"generations": [generation(open_from=None, open_default_from=None)]},
        [
            "generation hopper: has open_modules supported and open_from None; "
            "give open_from where the open modules drive it, and only there"
        ],
    ),
    "generation_lives: default before support": (
        {"generations": [generation(open_default_from=515)]},
        ["generation hopper: has open modules by default from 515, but at all from 525; correct one of the two"],
    ),
    "generations_known": (
        {"gpu_ranges": [*VALID["gpu_ranges"], gpu_range("2900", "29ff", "blackwell")]},
        ["range 2900: is of the generation blackwell, which has no row; add the generation"],
    ),
    "ranges_apart: unordered": (
        {"gpu_ranges": [*VALID["gpu_ranges"], gpu_range("26ff", "2600")]},
        ["range 26ff: ends at 2600, before it begins; swap first and last"],
    ),
    "ranges_apart: overlapping": (
        {"gpu_ranges": [*VALID["gpu_ranges"], gpu_range("2330", "2400")]},
        ["range 2330: overlaps m.yaml: range 2300, which ends at 233f; let the two lie apart"],
    ),
    "products_in_ranges: in none": (
        {"gpu_products": [row(id="ffff", name="X1", generation="hopper")]},
        ["product ffff: X1 lies in no range; add the range that holds it"],
    ),
    "products_in_ranges: in another's": (
        {"gpu_products": [row(id="2330", name="H100", generation="ada")]},
        ["product 2330: H100 is of ada, but m.yaml: range 2300 is of hopper; correct one of the two"],
    ),
    "kernel_ranges: unordered": (
        {"kernels": [row(branches="570-580", oldest="6.12", newest="4.15")]},
        ["kernels 570-580: ends with kernel 4.15, before its oldest 6.12; swap the two"],
    ),
    "kernel_ranges: branches unordered": (
        {"kernels": [row(branches="580-570", oldest="4.15")]},
        ["kernels 580-570: its branches 580-570 end before they begin; swap the two"],
    ),
    "kernel_ranges: another branch's release": (
        {"kernels": [row(branches="570", oldest="4.15", from_release="580.95.05")]},
        ["kernels 570 580.95.05: begins with release 580.95.05, outside its branches 570; correct one of the two"],
    ),
    "scheme_cells": (
        {"schemes": [scheme(), scheme(branches="580-590", systems=["ubuntu-22.04", "ubuntu-24.04"],
                                      packages=["libnvidia-compute"])],
         "repositories": [*VALID["repositories"], VALID["repositories"][0] | {"system": "ubuntu-22.04"}]},
        [
            "scheme ubuntu-22.04,ubuntu-24.04 nvidia 580-590 open compute dkms: gives packages for branches 580-590 on "
            "ubuntu-24.04, as does m.yaml: scheme ubuntu-24.04 nvidia 570-580 open compute dkms; "
            "let their branches or systems lie apart"
        ],
    ),
    "scheme_flavors": (
        {"schemes": [scheme(flavor="proprietary")],
         "branches": [branch(570, "12.8"), branch(580, "13.0", flavors=["open"])]},
        [
            "scheme ubuntu-24.04 nvidia 570-580 proprietary compute dkms: gives proprietary packages for branch 580, "
            "but m.yaml: branch 580 has no such modules; end its branches before that one"
        ],
    ),
    "scheme_names: unknown placeholder": (
        {"schemes": [scheme(packages=["libnvidia-compute-{brunch}"])]},
        [
            "scheme ubuntu-24.04 nvidia 570-580 open compute dkms: libnvidia-compute-{brunch} has the unknown "
            "placeholder brunch; use one of: branch, kernel, kernel_flavor, version"
        ],
    ),
    "scheme_names: open brace": (
        {"schemes": [scheme(packages=["libnvidia-compute-{branch"])]},
        [
            "scheme ubuntu-24.04 nvidia 570-580 open compute dkms: libnvidia-compute-{branch has the unknown "
            "placeholder {; use one of: branch, kernel, kernel_flavor, version"
        ],
    ),
    "scheme_names: unversioned and not installed": (
        {"schemes": [scheme(unversioned=["nvidia-smi"])]},
        [
            "scheme ubuntu-24.04 nvidia 570-580 open compute dkms: says that nvidia-smi is unversioned, which it does "
            "not install; add or drop it"
        ],
    ),
    "scheme_names: DKMS without a name": (
        {"schemes": [scheme(dkms_modules={})]},
        [
            "scheme ubuntu-24.04 nvidia 570-580 open compute dkms: has modules dkms and 0 names for DKMS; "
            "name the module where DKMS builds it, and only there"
        ],
    ),
    "ranges_ordered": (
        {"companions": [companion(branches="580-570")]},
        ["companion imex deb 580-570: its branches 580-570 end before they begin; swap the two"],
    ),
    "companion_names: two names": (
        {"companions": [companion(), companion(branches="575-", name="nvidia-imex")]},
        [
            "companion imex deb 575-: calls it nvidia-imex, but m.yaml: companion imex deb 570-579 calls it "
            "nvidia-imex-{branch}; let their branches lie apart"
        ],
    ),
    "companion_names: unknown placeholder": (
        {"companions": [companion(name="nvidia-imex-{}")]},
        ["companion imex deb 570-579: nvidia-imex-{} has the unknown placeholder {}; use branch or none"],
    ),
    "companion_names: placeholder of schemes alone": (
        {"companions": [companion(name="nvidia-imex-{version}")]},
        ["companion imex deb 570-579: nvidia-imex-{version} has the unknown placeholder version; use branch or none"],
    ),
    "companion_names: open brace": (
        {"companions": [companion(name="nvidia-imex-{branch")]},
        ["companion imex deb 570-579: nvidia-imex-{branch has the unknown placeholder {; use branch or none"],
    ),
    "repository_systems: none": (
        {"repositories": []},
        [
            "scheme ubuntu-24.04 nvidia 570-580 open compute dkms: is for ubuntu-24.04, for which there is no "
            "repository cuda; add the repository or drop the system"
        ],
    ),
    "repository_systems: no fingerprint": (
        {"repositories": [VALID["repositories"][0] | {"fingerprint": ""}]},
        [
            "repository cuda ubuntu-24.04 x86_64: has no fingerprint, but is marked as verified; "
            "give it or say why not"
        ],
    ),
    "cuda_windows: ends too early": (
        {"cuda_majors": [row(major=12, floor=525, window_end=525), row(major=13, floor=580)]},
        ["cuda major 12: its window ends before branch 525, at or below its floor 525; correct one of the two"],
    ),
    "cuda_windows: floors out of order": (
        {"cuda_majors": [row(major=12, floor=570), row(major=13, floor=570)]},
        ["cuda major 13: has the floor 570, not above that of m.yaml: cuda major 12, 570; correct one of the two"],
    ),
    "cuda_drivers: unknown major": (
        {"cuda": [*VALID["cuda"], toolkit("14.0", "580.95.05")]},
        ["cuda 14.0: is of major 14, which has no row; add the major"],
    ),
    "cuda_drivers: unknown branch": (
        {"cuda": [*VALID["cuda"], toolkit("13.9", "999.1")]},
        ["cuda 13.9: 13.9 asks for driver 999.1, whose branch 999 has no row; add the branch"],
    ),
    "cuda_drivers: below the floor": (
        {"cuda": [VALID["cuda"][0], toolkit("13.0", "570.86.15")]},
        [
            "cuda 13.0: 13.0 asks for driver 570.86.15, below the floor 580 of m.yaml: cuda major 13; "
            "correct one of the two"
        ],
    ),
    "cuda_drivers: another version's update": (
        {"cuda": [VALID["cuda"][0], toolkit("13.0", "580.65.06", updates={"13.1.1": "580.95.05"})]},
        ["cuda 13.0: lists update 13.1.1, which is of 13.1; move it there"],
    ),
    "cuda_drivers: an update that asks for less": (
        {"cuda": [VALID["cuda"][0], toolkit("13.0", "580.65.06", updates={"13.0.1": "580.9.1"})]},
        [
            "cuda 13.0: update 13.0.1 asks for driver 580.9.1, older than 580.65.06 of the release before it; "
            "correct one of the two"
        ],
    ),
    "cuda_of_generations": (
        {"generations": [generation(first_cuda="13.0", last_cuda_major=12)]},
        ["generation hopper: begins with CUDA 13.0, after its last major 12; correct one of the two"],
    ),
    "cuda_of_branches: unknown toolkit": (
        {"branches": [branch(570, "12.8"), branch(580, "13.7")]},
        ["branch 580: brings CUDA 13.7, which has no row; add the toolkit"],
    ),
    "cuda_of_branches: newer than the branch": (
        {"branches": [branch(570, "13.0"), branch(580, "13.0")]},
        ["branch 570: brings CUDA 13.0, but m.yaml: cuda 13.0 asks for driver 580.65.06; correct one of the two"],
    ),
    "nccl_cuda: unknown toolkit": (
        {"nccl": [row(version="2.28.3", cuda="13.7", minimum_branch=580)]},
        ["nccl 2.28.3 13.7: is built for CUDA 13.7, which has no row; add the toolkit"],
    ),
    "nccl_cuda: below the floor": (
        {"nccl": [row(version="2.28.3", cuda="13.0", minimum_branch=570)]},
        [
            "nccl 2.28.3 13.0: runs from branch 570, below the floor 580 of m.yaml: cuda major 13; "
            "correct one of the two"
        ],
    ),
    "dcgm_majors: unknown": (
        {"dcgm": [row(version="3.3.6", cuda_majors=[12])]},
        ["dcgm 3.3.6: is of major 3, which has no row; add the major"],
    ),
    "dcgm_majors: CUDA that the major has not": (
        {"dcgm": [row(version="4.4.1", cuda_majors=[12, 14])]},
        [
            "dcgm 4.4.1: has packages for CUDA 14, which m.yaml: dcgm major 4 does not support; "
            "correct one of the two"
        ],
    ),
    "minimum_branches": (
        {"gdrcopy": [row(version="2.5", minimum_branch=900, deb=["a"], rpm=["b"])]},
        ["gdrcopy 2.5: asks for branch 900, newer than the newest branch 580; add the branch or correct the row"],
    ),
    "containerd_kubernetes: unknown minor": (
        {"containerd": [CONTAINERD | {"kubernetes": ["1.34", "1.99"]}]},
        ["containerd 2.1: supports Kubernetes 1.99, which has no row; add the minor version"],
    ),
    "containerd_kubernetes: not named back": (
        {"containerd": [CONTAINERD, CONTAINERD | {"series": "2.0"}]},
        [
            "containerd 2.0: supports Kubernetes 1.34, but m.yaml: kubernetes 1.34 names no containerd 2.0; "
            "correct one of the two"
        ],
    ),
    "containerd_kubernetes: ends before it begins": (
        {"containerd": [CONTAINERD | {"end_of_life": EARLY}]},
        ["containerd 2.1: ends on 2024-01-01, before its release on 2025-05-07; correct one of the two dates"],
    ),
    "kubernetes_skew: unknown series": (
        {"kubernetes": [KUBERNETES | {"containerd": ["2.1.3", "9.9.0"]}]},
        ["kubernetes 1.34: runs with containerd 9.9.0, whose series has no row; add the series"],
    ),
    "kubernetes_skew: not named back": (
        {"kubernetes": [KUBERNETES, KUBERNETES | {"version": "1.35"}]},
        [
            "kubernetes 1.35: runs with containerd 2.1.3, but m.yaml: containerd 2.1 does not support it; "
            "correct one of the two"
        ],
    ),
    "kubernetes_skew: ends before it begins": (
        {"kubernetes": [KUBERNETES | {"end_of_life": EARLY}]},
        ["kubernetes 1.34: ends on 2024-01-01, before its release on 2025-08-27; correct one of the two dates"],
    ),
    "kubernetes_skew: kubelet newer than the server": (
        {"kubernetes": [KUBERNETES | {"oldest_kubelet": "1.35"}]},
        ["kubernetes 1.34: names the oldest kubelet 1.35, newer than itself; correct one of the two"],
    ),
    "toolkit_containerd": (
        {"toolkit": [row(version="1.18.0", minimum_branch=450, minimum_containerd="1.9")]},
        ["toolkit 1.18.0: asks for containerd 1.9, which has no row; add the series"],
    ),
    "containerd_series_of_releases": (
        {"containerd_releases": [row(origin="distribution", version="9.9.1", systems=["el-9"])]},
        ["containerd release distribution 9.9.1: is of a series that has no row; add the series"],
    ),
    "containerd_repositories": (
        {"containerd_releases": [row(origin="vendor", version="2.1.5", systems=["el-9", "debian-12"])]},
        ["containerd release vendor 2.1.5: is for el-9, debian-12, for which there is no repository docker; add the "
         "repository or drop the system"],
    ),
    "containerd_versioned": (
        {"containerd_packages": [row(origin="vendor", packaging="deb", packages=["runc"], versioned="containerd.io")]},
        ["containerd packages vendor deb: says that containerd.io is versioned, which it does not install; add or drop "
         "it"],
    ),
    "containerd_systems": (
        {"containerd_packages": [row(origin="vendor", packaging="rpm", packages=["x"], versioned="x", systems=systems)
                                 for systems in ([], ["el-9", "el-10"], ["el-10"])]},
        ["containerd packages vendor rpm el-10: is for el-10, as m.yaml: containerd packages vendor rpm el-9,el-10 is; "
         "drop the system from one of the two"],
    ),
    "ofed_lives": (
        {"ofed": [row(version="24.10", kind="mlnx_ofed", systems=["el-9"], released=LATE, end_of_life=EARLY)]},
        ["ofed 24.10: ends on 2024-01-01, before its release on 2025-12-01; correct one of the two dates"],
    ),
    "doca_repositories": (
        {"ofed": [row(version="3.2.1", kind="doca", systems=["el-9", "ubuntu-24.04"])]},
        ["ofed 3.2.1: is for el-9, ubuntu-24.04, for which there is no repository doca; add the repository or drop the "
         "system"],
    ),
    "rdma_versioned": (
        {"rdma_stacks": [row(kind="doca", packaging="deb", packages=["doca-ofed"], versioned=["doca-all"])]},
        ["rdma stack doca deb: says that doca-all is versioned, which it does not install; add or drop it"],
    ),
}  # fmt: skip


def test_the_small_matrix_has_none(tmp_path: Path) -> None:
    assert load_from([write(tmp_path / "m.yaml", VALID)]).branch(580)


@pytest.mark.parametrize(("changes", "lines"), CASES.values(), ids=CASES)
def test_a_contradiction_is_refused(tmp_path: Path, changes: dict[str, Any], lines: list[str]) -> None:
    with pytest.raises(FaultsFoundError) as error:
        load_from([write(tmp_path / "m.yaml", VALID | changes)])
    assert [str(fault) for fault in error.value.faults] == [f"m.yaml: {line}" for line in lines]


def test_every_check_has_a_case() -> None:
    assert {check.__name__ for check in CHECKS} <= {name.partition(":")[0] for name in CASES}


def test_all_faults_are_in_one_list(tmp_path: Path) -> None:
    changes = {"dcgm": [row(version="3.3.6", cuda_majors=[12])], "repositories": []}
    with pytest.raises(FaultsFoundError) as error:
        load_from([write(tmp_path / "m.yaml", VALID | changes)])
    assert str(error.value) == (
        "stack matrix: expected no faults, found 2 faults; correct the lines below; nothing was touched\n"
        "  m.yaml: scheme ubuntu-24.04 nvidia 570-580 open compute dkms: is for ubuntu-24.04, for which there is no "
        "repository cuda; add the repository or drop the system\n"
        "  m.yaml: dcgm 3.3.6: is of major 3, which has no row; add the major"
    )
