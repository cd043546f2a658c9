"""The kubelet on a host: its membership in a cluster, its managers' records, what runs, and what is left of it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from pyinfra.api.facts import FactBase
from typing_extensions import override

from gpufleet.kubernetes.drained import Occupancy
from gpufleet.kubernetes.managers import CPU_STATE, MEMORY_STATE, Records
from gpufleet.kubernetes.server import Answer, read

DIRECTORY = "/var/lib/kubelet"
#: The kubelet's own access to the API server, which it has from its join on.
KUBECONFIG = "/etc/kubernetes/kubelet.conf"
#: What the cluster's administrators gave to all kubelets; kubeadm writes it.
CLUSTERS = f"{DIRECTORY}/config.yaml"
#: Drop-ins over that, read in the order of their names, and the one that is ours.
DROP_INS = "/etc/kubernetes/kubelet.conf.d"
DROP_IN = f"{DROP_INS}/50-gpufleet.conf"
CERTIFICATE = f"{DIRECTORY}/pki/kubelet-client-current.pem"
UNIT = "kubelet.service"
#: What the kubelet said last of what went wrong.
LAST_ERROR = "journalctl -u kubelet -o cat -n 200 | grep -E '^(E|F)[0-9]' | tail -n 1"
_NAME = re.compile(r"CN\s*=\s*system:node:(?P<name>[a-z0-9.-]+)")

#: Every pod of the node with its phase and the kind of its owner; static pods are owned by the node.
_PODS = (
    '{{range .items}}{{$kind := "-"}}{{range .metadata.ownerReferences}}{{$kind = .kind}}{{end}}'
    'pod {{.metadata.namespace}}/{{.metadata.name}} {{.status.phase}} {{$kind}}{{"\\n"}}{{end}}'
)


class ApiServer(FactBase[Answer]):
    """What the API server says to this host, which need not know its authority: nothing secret is sent.

    A host that is a node shows its certificate while that is valid, as a server may tell nothing to those whom it does
    not know; the key stays here.
    """

    default = Answer

    @override
    def command(self, endpoint: str = "", timeout: int = 10) -> str:
        """Print the time, and the server's answer to `GET /version`, by openssl, or by curl where that is missing.

        Without an endpoint it is the one of the kubelet's own access; a host that has none asks nobody.
        """
        servers = f"sed -n 's|^ *server: *https://\\([^/]*\\).*|\\1|p' {KUBECONFIG} 2>/dev/null"
        place = shlex.quote(endpoint) if endpoint else f"$({servers} | sed '/:[0-9]*$/!s/$/:443/; q')"
        return (
            f"date +%s; s={place}; c={CERTIFICATE}; openssl x509 -noout -checkend 0 -in $c >/dev/null 2>&1 || c=; "
            'if [ -z "$s" ]; then :; elif command -v openssl >/dev/null; then '
            r"""printf 'GET /version HTTP/1.0\r\nHost: %s\r\n\r\n' "${s%:*}" | """
            f'timeout {timeout} openssl s_client -quiet -connect "$s" ${{c:+-cert $c}} 2>/dev/null; '
            f'else curl -isk --http1.1 --max-time {timeout} "https://$s/version"; fi; true'
        )

    @override
    def process(self, output: list[str]) -> Answer:
        """Parse the answer."""
        return read(output)


class NodeIdentity(FactBase[str]):
    """Name of the node that the host is in a cluster; empty where it joined none, `?` where its certificate is gone."""

    default = str

    @override
    def command(self) -> str:
        """Ask for the subject of the kubelet's certificate."""
        return f"[ ! -e {KUBECONFIG} ] || {{ echo joined; openssl x509 -noout -subject -in {CERTIFICATE} 2>&1; }}; true"

    @override
    def process(self, output: list[str]) -> str:
        """Parse `subject=O = system:nodes, CN = system:node:gpu-07`."""
        if "joined" not in output:
            return ""
        match = _NAME.search("\n".join(output))
        return match["name"] if match else "?"


class ManagerRecords(FactBase[Records]):
    """What the kubelet's managers wrote down, and what its configuration said of them."""

    default = Records

    @override
    def command(self) -> str:
        """Print each file after its name."""
        files = " ".join(f"{DIRECTORY}/{name}" for name in (CPU_STATE, MEMORY_STATE))
        return (
            f'for f in {files}; do [ ! -e "$f" ] || echo "${{f##*/}} $(cat "$f")"; done; '
            'awk \'/^[^ ]/ {inside = /^(kube|system)Reserved:/} inside && $1 == "cpu:" {print "reserved", $2} '
            f'/^topologyManagerPolicy: / {{print "topology", $2}}\' {DROP_IN} 2>/dev/null; true'
        )

    @override
    def process(self, output: list[str]) -> Records:
        """Parse `cpu_manager_state {"policyName":"none",...}`, `topology none` and `reserved '2'`."""
        rows = [line.partition(" ")[::2] for line in output]
        said = dict(rows)
        reserved = tuple(value.strip("'") for name, value in rows if name == "reserved")
        return Records(said.get(CPU_STATE, ""), said.get(MEMORY_STATE, ""), said.get("topology", ""), reserved)


class NodeOccupancy(FactBase[Occupancy]):
    """What runs on the node, by the API server where it answers the kubelet's own access, and by the host."""

    default = Occupancy

    @override
    def command(self, node: str) -> str:
        """Ask with the kubelet's own rights: a node may read itself and its pods."""
        ask = f"kubectl --kubeconfig={KUBECONFIG} --request-timeout=10s get"
        name = shlex.quote(node)
        return (
            f"[ ! -e {KUBECONFIG} ] || {{ echo joined; "
            f"s=$({ask} node {name} -o 'jsonpath={{.spec.unschedulable}}' 2>/dev/null) && "
            f"p=$({ask} pods --all-namespaces --field-selector=spec.nodeName={name} "
            f"-o {shlex.quote(f'go-template={_PODS}')} 2>/dev/null) && "
            'echo "cordoned ${s:-false}" && echo "$p"; '
            f"echo sandboxes $(ls {DIRECTORY}/pods 2>/dev/null | wc -l); }}; true"
        )

    @override
    def process(self, output: list[str]) -> Occupancy:
        """Parse `cordoned true`, `pod default/train-0 Running Job` and `sandboxes 4`."""
        rows = [line.split() for line in output if line.strip()]
        values = {row[0]: row[1] for row in rows if row[0] in ("cordoned", "sandboxes") and len(row) > 1}
        cordoned = values.get("cordoned")
        return Occupancy(
            joined=["joined"] in rows,
            cordoned=None if cordoned is None else cordoned == "true",
            pods=tuple(row[1] for row in rows if _is_users(row)),
            sandboxes=int(values.get("sandboxes", 0)),
        )


def _is_users(row: Sequence[str]) -> bool:
    """Tell whether a row is a pod that a drain would evict, and that has not ended."""
    if row[0] != "pod" or len(row) != 4:
        return False
    return row[2] not in ("Succeeded", "Failed") and row[3] not in ("DaemonSet", "Node")


class NodeLabels(FactBase[dict[str, str] | None]):
    """Labels of the node, as the API server says them to the node itself; None where it does not answer."""

    @staticmethod
    @override
    def default() -> dict[str, str] | None:
        """Say nothing of a host that is no node."""
        return None

    @override
    def command(self) -> str:
        """Ask by the name in the kubelet's certificate."""
        template = '{{range $k, $v := .metadata.labels}}{{$k}} {{$v}}{{"\\n"}}{{end}}'
        return (
            f"[ ! -e {KUBECONFIG} ] || {{ "
            f"n=$(openssl x509 -noout -subject -in {CERTIFICATE} 2>/dev/null | "
            r"sed 's/.*system:node:\([a-z0-9.-]*\).*/\1/'); "
            f'l=$(kubectl --kubeconfig={KUBECONFIG} --request-timeout=10s get node "$n" '
            f'-o {shlex.quote(f"go-template={template}")} 2>/dev/null) && echo said && echo "$l"; }}; true'
        )

    @override
    def process(self, output: list[str]) -> dict[str, str] | None:
        """Parse `said`, and behind it `gpufleet.dev/rack a1`; a label may be empty."""
        if "said" not in output:
            return None
        return dict(line.partition(" ")[::2] for line in output if line.strip() and line != "said")


class NodeTraces(FactBase[list[str]]):
    """Files of a membership in a cluster, and of networks of pods that others than gpufleet configured.

    The kubelet writes one for logind too, so that a shutdown waits for pods.
    """

    default = list

    @override
    def command(self) -> str:
        """List those that are there."""
        return (
            f"ls -d {KUBECONFIG} {CLUSTERS} {DIRECTORY}/pki {DIRECTORY}/{CPU_STATE} {DIRECTORY}/{MEMORY_STATE} "
            "/etc/kubernetes/bootstrap-kubelet.conf /etc/kubernetes/pki/ca.crt /var/lib/cni /etc/cni/net.d/* "
            "/etc/systemd/logind.conf.d/99-kubelet.conf "
            "2>/dev/null | grep -v gpufleet; true"
        )

    @override
    def process(self, output: list[str]) -> list[str]:
        """One path a line."""
        return [line.strip() for line in output if line.strip()]
