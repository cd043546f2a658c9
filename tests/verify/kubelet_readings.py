"""What the checks of the role `kubelet` ask a host, and how they read its answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gpufleet.facts.gpu_daemons import GpuDaemonState
from gpufleet.facts.kubelet import (
    CERTIFICATE,
    DROP_IN,
    UNIT,
    ApiServer,
    ManagerRecords,
    NodeIdentity,
    NodeLabels,
    NodeTraces,
)
from gpufleet.facts.numa import NumaNodes, OnlineCpus
from gpufleet.facts.swap import SwapState
from gpufleet.health import Probe
from gpufleet.kubernetes.kubelet_configuration import KubeletConfiguration
from gpufleet.kubernetes.server import Answer, read
from gpufleet.operations.kubelet import HEALTHZ
from roles.kubelet.decisions import configuration
from roles.kubelet.options import Kubelet
from roles.kubelet.steps import FILES, MODULES, SETTINGS
from tests.verify import companion_readings
from tests.verify.companion_readings import unit_probe

Declared = Callable[[Any], Any]

PROBE = {
    **companion_readings.PROBE,
    **unit_probe(UNIT),
    "daemon": GpuDaemonState().command(UNIT, FILES),
    "versions": "echo kubelet $(kubelet --version 2>&1); echo kubeadm $(kubeadm version -o short 2>&1)",
    "configuration": f"cat {DROP_IN} 2>/dev/null; true",
    "identity": NodeIdentity().command(),
    "healthz": f"{HEALTHZ} 2>&1; true",
    "certificate": f"date +%s; openssl x509 -noout -startdate -enddate -in {CERTIFICATE} 2>&1; true",
    "records": ManagerRecords().command(),
    "numa": NumaNodes().command(),
    "online": OnlineCpus().command(),
    "server": ApiServer().command(),
    "modules at boot": f"grep -v '^#' /{MODULES} 2>/dev/null; true",
    "built in": "sed 's|.*/||; s|[.]ko$||' \"/lib/modules/$(uname -r)/modules.builtin\" 2>/dev/null; true",
    "settings at boot": f"grep -v '^#' /{SETTINGS} 2>/dev/null; true",
    "settings": (
        f"sed -n 's/ = .*//p' /{SETTINGS} 2>/dev/null | while read -r key; do "
        'path=/proc/sys/$(echo "$key" | tr ./ /.); [ -e "$path" ] && echo "$key" = $(cat "$path"); done; true'
    ),
    "swap": SwapState().command(),
    "labels": NodeLabels().command(),
    "traces": NodeTraces().command(),
}
#: kubelets rotate their certificate between 70 and 90 percent of its life: below this part something keeps them.
#: Source: client-go's util/certificate/certificate_manager.go of 1.36, nextRotationDeadline.
LEAST_LEFT = 0.08


@dataclass(frozen=True)
class Node:
    """A host that is to be a node: what is declared, and what it answered."""

    options: Kubelet
    probe: Probe
    host: str

    @property
    def name(self) -> str:
        """Name of the node."""
        return self.options.node_name or self.host

    @property
    def identity(self) -> str:
        """Name of the node that the host is, empty for none."""
        return NodeIdentity().process(self.probe["identity"].lines)

    @property
    def wanted(self) -> KubeletConfiguration:
        """The configuration as it is declared for this machine."""
        return configuration(self.options, NumaNodes().process(self.probe["numa"].lines))

    @property
    def server(self) -> Answer:
        """What the API server says to the host."""
        return read(self.probe["server"].lines)

    @property
    def programs(self) -> dict[str, str]:
        """Versions that the programs say they are: `{"kubelet": "1.36.3"}`."""
        rows = (line.partition(" ") for line in self.probe["versions"].lines)
        return {name: match[1] if (match := re.search(r"v(\d+\.\d+\.\d+)$", said)) else said for name, _, said in rows}

    @property
    def certificate_left(self) -> float | None:
        """The part of the certificate's life that is left, below 0 behind its end; None where there is none."""
        lines = self.probe["certificate"].lines
        dates = dict(line.split("=", 1) for line in lines if "=" in line)
        if not {"notBefore", "notAfter"} <= dates.keys() or not lines[0].isdigit():
            return None
        begin, end = (_seconds(dates[name]) for name in ("notBefore", "notAfter"))
        return (end - int(lines[0])) / (end - begin)

    @property
    def policies(self) -> dict[str, str]:
        """Policies that the running kubelet's managers wrote down."""
        records = ManagerRecords().process(self.probe["records"].lines)
        texts = {"CPU": records.cpu, "memory": records.memory}
        return {name: str(_object(text).get("policyName", "none said")) for name, text in texts.items()}

    def settings(self, section: str) -> dict[str, str]:
        """Kernel settings as a section has them."""
        rows = (line.partition("=") for line in self.probe[section].lines if "=" in line)
        return {key.strip(): " ".join(value.split()) for key, _, value in rows}


def _seconds(text: str) -> int:
    """Return Unix seconds of openssl's `Nov 23 14:00:00 2026 GMT`."""
    return int(datetime.strptime(" ".join(text.split()), "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC).timestamp())


def _object(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
