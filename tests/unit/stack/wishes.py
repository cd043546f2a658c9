"""Hardware, systems and wishes to ask the resolver about: drawn from the matrix, and from junk."""

from __future__ import annotations

from typing import get_args

from hypothesis import strategies as st

from gpufleet.stack.machine import Hardware, Platform, System
from gpufleet.stack.matrix import Matrix, load
from gpufleet.stack.wish import Wish

H100, V100, L40S, B200, GB200, GH200 = "2330", "1db6", "26b9", "2901", "2941", "2342"
UBUNTU, DEBIAN_12, DEBIAN_13 = System("ubuntu", "24.04"), System("debian", "12"), System("debian", "13")
EL_9, EL_10 = System("rocky", "9.6"), System("rocky", "10.0")
HGX = Hardware(gpus=(H100,) * 8, nvswitches=4, rdma_adapters=8, kernel="6.8.0-60-generic")

MATRIX: Matrix = load()

JUNK = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["", "0", "999", "580.", "v1", "*", "-1", "13.0.0.0", "1e3", "\uff15\uff18\uff10"]),
)
GPU = st.one_of(
    st.sampled_from([f"{row.id:04x}" for row in MATRIX.gpu_products]), st.integers(0, 0xFFFF).map("{:04X}".format), JUNK
)
HARDWARE = st.builds(
    Hardware,
    gpus=st.one_of(
        st.lists(GPU, max_size=3).map(tuple), st.sampled_from([(H100,), (V100,), (L40S,), (B200,), (GB200,), (GH200,)])
    ),
    nvswitches=st.sampled_from([0, 4]),
    nvlink5=st.booleans(),
    rdma_adapters=st.sampled_from([0, 8]),
    platform=st.sampled_from(get_args(Platform)),
    secure_boot=st.sampled_from([None, True, False]),
    kernel=st.one_of(st.sampled_from(["", "3.2.0", "5.10.0-30-amd64", "6.8.0-60-generic", "7.9.1"]), JUNK),
)
SYSTEM = st.one_of(
    st.sampled_from([UBUNTU, System("ubuntu", "22.04"), DEBIAN_12, DEBIAN_13, EL_9, EL_10, System("rhel", "8.10")]),
    st.builds(System, id=st.sampled_from(["fedora", "ubuntu", ""]), version=JUNK),
    st.builds(System, id=st.sampled_from(["ubuntu", "debian"]), version=st.just("12"), arch=st.just("aarch64")),
)
SUPPORTED = st.sampled_from([UBUNTU, System("ubuntu", "22.04"), DEBIAN_12, DEBIAN_13, EL_9, EL_10])
USUAL = st.sampled_from(
    [
        HGX,
        Hardware(gpus=(L40S,) * 4),
        Hardware(gpus=(V100,) * 8),
        Hardware(gpus=(B200,) * 8, nvlink5=True, rdma_adapters=8),
        Hardware(gpus=(GB200,) * 4, nvlink5=True, rdma_adapters=4, platform="azure-gb-v6"),
        Hardware(gpus=(H100,) * 8, nvswitches=4, platform="aws-p5"),
    ]
)


def _or_junk(*known: str) -> st.SearchStrategy[str | None]:
    return st.one_of(st.none(), st.sampled_from(known), JUNK)


DRIVER = st.one_of(
    st.sampled_from([str(row.branch) for row in MATRIX.branches] + [row.version for row in MATRIX.releases]),
    _or_junk("615", "580.173.02", "535.261.03-1"),
)
TOOLKITS = st.lists(st.one_of(st.sampled_from([row.version for row in MATRIX.cuda]), JUNK), max_size=3).map(tuple)
WISH = st.builds(
    Wish,
    driver=DRIVER,
    flavor=st.sampled_from(["auto", "auto", "open", "proprietary"]),
    source=st.sampled_from(["nvidia", "nvidia", "distribution"]),
    profile=st.sampled_from(["compute", "full"]),
    modules=st.sampled_from(["dkms", "precompiled"]),
    persistence=st.booleans(),
    fabric_manager=_or_junk("auto", "on", "off", "580.95.05"),
    imex=st.sampled_from([None, "auto", "on", "off", "dra"]),
    dcgm=_or_junk("auto", "4.4.1", "4.4.1-cuda12", "4.4.1-cuda13", "3.3.6"),
    gdrcopy=_or_junk("auto", "2.5"),
    rdma=st.sampled_from([None, "auto", "peermem", "dma-buf", "off"]),
    rdma_stack=st.sampled_from([None, "auto", "inbox", "doca"]),
    cuda=st.one_of(st.just(()), st.just(("12.9",)), st.just(("12.9", "13.0")), TOOLKITS),
    cuda_default=_or_junk("12.9", "13.0"),
    cuda_compat=st.booleans(),
    nccl=_or_junk("auto", "2.28.3", "2.22.3"),
    nccl_cuda=st.one_of(st.none(), _or_junk("13", "12.9", "11")),
    kernel=_or_junk("6.8.0-60-generic"),
    ofed=_or_junk("inbox", "3.2.1"),
    toolkit=_or_junk("auto", "1.18.0"),
    toolkit_installed=st.booleans(),
    containerd=_or_junk("auto", "1.7.27", "2.1.5"),
    containerd_source=st.sampled_from([None, "distribution", "vendor"]),
    kubelet=_or_junk("1.34.2", "1.36.0"),
    kube_apiserver=_or_junk("1.35.0"),
    kubernetes=_or_junk("1.34.2", "1.36.3"),
)
#: Wishes that have a good chance of being granted.
SOUND = st.builds(
    Wish,
    driver=st.sampled_from(["535", "570", "580", "590", "595", "535.261.03", "550.163.01", "580.126.09"]),
    source=st.sampled_from(["nvidia", "distribution"]),
    flavor=st.sampled_from(["auto", "open", "proprietary"]),
    profile=st.sampled_from(["compute", "full"]),
    modules=st.sampled_from(["dkms", "precompiled"]),
    persistence=st.booleans(),
    fabric_manager=st.sampled_from([None, "auto", "off"]),
    imex=st.sampled_from([None, "auto", "dra"]),
    dcgm=st.sampled_from([None, "auto"]),
    gdrcopy=st.sampled_from([None, "auto"]),
    rdma=st.sampled_from([None, "auto"]),
    rdma_stack=st.sampled_from([None, "auto", "inbox"]),
    cuda=st.sampled_from([(), ("12.9",), ("13.0",), ("12.9", "13.0")]),
    cuda_compat=st.booleans(),
    nccl=st.sampled_from([None, "auto"]),
    containerd_source=st.sampled_from([None, "vendor"]),
    kubernetes=st.sampled_from([None, "1.36.3"]),
)
