"""Ways to take a Debian host away from what the roles `cuda` and `nccl` made of it, one for every check."""

from __future__ import annotations

from typing import Any

from tests.support.base_deviations import Deviation

SETTINGS = {"NCCL_IB_HCA": "=mlx5_0:1,mlx5_1:1", "NCCL_SOCKET_IFNAME": "^docker,lo"}
#: A value with a blank in it, which NCCL takes as it stands.
DECLARED: dict[str, dict[str, Any]] = {
    "cuda": {"toolkits": ["12.4"]},
    "nccl": {
        "settings": SETTINGS,
        "workarounds": {"NCCL_IB_QPS_PER_CONNECTION": 4},
        "extra": {"NCCL_SOME_FUTURE_OPTION": "a b"},
    },
}
LINES = [
    "NCCL_IB_HCA==mlx5_0:1,mlx5_1:1",
    "NCCL_IB_QPS_PER_CONNECTION=4",
    "NCCL_SOCKET_IFNAME=^docker,lo",
    "NCCL_SOME_FUTURE_OPTION=a b",
]
RUNTIME = "/usr/lib/x86_64-linux-gnu/libcudart.so.12.4.127"
LIBRARY = "/usr/lib/x86_64-linux-gnu/libnccl.so.2"
OTHER = "/etc/ld.so.conf.d/00-other.conf"
COMPAT = "/etc/ld.so.conf.d/00-gpufleet-cuda-compat.conf"
MANIFEST = "/var/lib/gpufleet/unpacked/libnccl2@usr-local-cuda-13.0"
METAPACKAGE = (
    "mkdir -p /tmp/cuda/DEBIAN && printf 'Package: cuda\\nVersion: 12.4.1-1\\nArchitecture: all\\n"
    "Maintainer: nobody <nobody@example.org>\\nDescription: x\\n' >/tmp/cuda/DEBIAN/control && "
    "dpkg-deb --build /tmp/cuda /tmp/cuda.deb && dpkg -i /tmp/cuda.deb"
)

CUDA = [
    Deviation(
        "toolkits_are_installed",
        "dpkg --force-all --remove nvidia-cuda-toolkit",
        "toolkits: expected nvidia-cuda-toolkit=12.4.*, found nvidia-cuda-toolkit not installed",
    ),
    Deviation(
        "toolkits_are_held",
        "true",
        "packages on hold: expected every toolkit, found nvidia-cuda-toolkit not held",
    ),
    Deviation("compilers_answer", "true", "/usr/bin/nvcc: expected release 12.4, found no answer"),
    Deviation(
        "only_wanted_toolkits_are_recorded",
        "echo 11.8 >/etc/gpufleet/cuda-toolkits",
        "toolkits installed from here: expected [], found ['11.8']",
    ),
    Deviation(
        "linker_finds_the_default",
        f"mv {RUNTIME} /root/runtime && ldconfig",
        "libcudart.so.12: expected one of CUDA 12.4, found none",
        back=f"mv /root/runtime {RUNTIME} && ldconfig",
    ),
    Deviation(
        "compatibility_libraries_only_where_wanted",
        f"echo /usr/local/cuda-13.0/compat >{COMPAT}",
        "linker path of cuda-compat: expected [], found ['/usr/local/cuda-13.0/compat']",
    ),
    Deviation(
        "no_metapackage_brings_a_driver",
        METAPACKAGE,
        "packages: expected no metapackage that brings a driver, found cuda",
        back="dpkg --purge cuda",
    ),
]

NCCL = [
    Deviation(
        "header_is_the_packages",
        "sed -i 's/^#define NCCL_VERSION_CODE 22203/#define NCCL_VERSION_CODE 22204/' /usr/include/nccl.h",
        "/usr/include/nccl.h: expected 2.22.3, found 2.22.4",
        back="sed -i 's/^#define NCCL_VERSION_CODE 22204/#define NCCL_VERSION_CODE 22203/' /usr/include/nccl.h",
    ),
    Deviation("library_is_the_header", "true", "libnccl.so.2: expected 2.22.4 as nccl.h says, found 2.22.3"),
    Deviation(
        "settings_are_written",
        "sed -i 's/=4$/=8/' /etc/nccl.conf",
        "/etc/nccl.conf: expected ['NCCL_IB_QPS_PER_CONNECTION=4'], found ['NCCL_IB_QPS_PER_CONNECTION=8']",
    ),
    Deviation(
        "library_takes_the_settings",
        "true",
        "libnccl.so.2: settings it took: expected ['NCCL_IB_QPS_PER_CONNECTION=4'], "
        "found ['NCCL_IB_QPS_PER_CONNECTION=8']",
    ),
    Deviation(
        "topology_is_written",
        "echo '<system/>' >/etc/gpufleet/nccl/topo.xml",
        "/etc/gpufleet/nccl/topo.xml: expected no file, found another",
    ),
    Deviation(
        "pods_get_the_same_settings",
        "rm /etc/gpufleet/nccl/nccl.conf",
        f"/etc/gpufleet/nccl/nccl.conf: expected {LINES}, found []",
    ),
    Deviation(
        "container_runtimes_know_the_settings",
        "rm /etc/cdi/gpufleet-nccl.json",
        "/etc/cdi/gpufleet-nccl.json: expected devices conf and etc of gpufleet.io/nccl, found none",
    ),
    Deviation(
        "other_builds_lie_beside_their_toolkits",
        f"mkdir -p /var/lib/gpufleet/unpacked && echo libnccl2 2.27.7-1+cuda13.0 /usr/local/cuda-13.0 >{MANIFEST}",
        "NCCL for other CUDA majors: expected [], found ['libnccl2 2.27.7-1+cuda13.0 in /usr/local/cuda-13.0']",
    ),
    Deviation(
        "linker_finds_the_installed_library",
        f"mkdir /opt/other && cp -L {LIBRARY} /opt/other/ && echo /opt/other >{OTHER} && ldconfig",
        "libnccl.so.2: expected the installed one in /usr/lib, found /opt/other/libnccl.so.2",
        back=f"rm -r /opt/other {OTHER} && ldconfig",
    ),
    Deviation(
        "library_and_headers_are_held",
        "apt-mark unhold libnccl-dev",
        "packages on hold: expected NCCL's, found libnccl-dev not held",
    ),
]
#: What the first round cannot show beside the rest.
NCCL_AGAIN = [
    Deviation(
        "library_and_headers_are_installed",
        "dpkg --force-all --remove libnccl-dev",
        "NCCL: expected libnccl2=2.22.3-1-1, libnccl-dev=2.22.3-1-1, found libnccl-dev not installed",
    ),
    Deviation("library_and_headers_are_held", "true", "packages on hold: expected NCCL's, found libnccl-dev not held"),
    Deviation("header_is_the_packages", "true", "/usr/include/nccl.h: expected 2.22.3, found none"),
    Deviation("library_is_the_header", "true", "libnccl.so.2: expected a header as nccl.h says, found 2.22.3"),
]
