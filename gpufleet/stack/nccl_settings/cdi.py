"""The CDI file by which a container gets the host's NCCL settings: two devices, for new and for old NCCL.

CDI 0.5.0, the oldest version that containerd 1.7 and CRI-O 1.26 read alike; nothing newer is needed.
"""

from __future__ import annotations

import json
from typing import Any

from gpufleet.stack.nccl_settings.configuration import FOLDER, HOST_FILE, POD_FILE

CDI_VERSION = "0.5.0"
KIND = "gpufleet.io/nccl"
#: For NCCL from 2.23 on, which follows NCCL_CONF_FILE; the image's own /etc/nccl.conf stays and has the last word on
#: what this one leaves open.
CONF = "conf"
#: For older NCCL: the host's file lies over the image's.
ETC = "etc"


def document() -> dict[str, Any]:
    """Return the specification."""
    folder = _mount(FOLDER)
    return {
        "cdiVersion": CDI_VERSION,
        "kind": KIND,
        "devices": [
            {"name": CONF, "containerEdits": {"env": [f"NCCL_CONF_FILE={POD_FILE}"], "mounts": [folder]}},
            {"name": ETC, "containerEdits": {"mounts": [folder, _mount(HOST_FILE)]}},
        ],
    }


def text() -> str:
    """Return the specification as /etc/cdi holds it."""
    return json.dumps(document(), indent=2) + "\n"


def _mount(path: str) -> dict[str, Any]:
    return {"hostPath": path, "containerPath": path, "options": ["ro", "nosuid", "nodev", "noexec", "rbind"]}
