"""Which platform a machine is, by its firmware's strings, its GPUs and its network adapters: a pure decision.

Sources, read in November 2026: cloud-init (tools/ds-identify: asset tag of Azure, product name of Google), Amazon's
user guide (identify EC2 instances; on Nitro the product name is the instance type), Google's page "Networking and GPU
machines" (adapters of each machine type), systemd (src/basic/virt.c: DMI vendors of hypervisors). Azure and Google do
not put the machine type into DMI, so GPUs and adapters tell it; `machine.platform` in the inventory overrides it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gpufleet.facts.hardware import PciDevice
from gpufleet.stack.gpus import nvidia_gpus
from gpufleet.stack.machine import Platform

AZURE_ASSET_TAG = "7783-7084-3265-9085-8269-3286-77"
AMAZON = "Amazon EC2"
GOOGLE = "Google Compute Engine"

#: What the vendor fields of DMI say on virtual machines that are no cloud's we know.
HYPERVISORS = ("KVM", "OpenStack", "KubeVirt", "QEMU", "VMware", "VMW", "innotek", "Xen", "Bochs", "Parallels", "BHYVE")

_A100, _H100, _H200, _B200 = {"20b0", "20b2"}, {"2330"}, {"2335"}, {"2901", "2909"}
_GRACE = {"2941", "31c2", "31c3"}
#: Google's own network adapter, gVNIC, by PCI vendor and device.
_GVNIC = ("1ae0", "0042")
#: An a3-megagpu-8g has a gVNIC for each GPU and one more; an a3-highgpu-8g has five in all.
_MEGA_ADAPTERS = 9


def platform(dmi: Mapping[str, str], devices: Iterable[PciDevice]) -> Platform:
    """Return the platform; `cloud` is a virtual machine of a kind that is not known, `bare-metal` all that is none."""
    found = list(devices)
    gpus = {gpu.device for gpu in nvidia_gpus(found)}
    product = dmi.get("product_name", "")
    if dmi.get("chassis_asset_tag") == AZURE_ASSET_TAG:
        return _azure(gpus)
    if dmi.get("sys_vendor") == AMAZON:
        return _amazon(product)
    if product == GOOGLE:
        return _google(gpus, sum((device.vendor, device.device) == _GVNIC for device in found))
    vendors = [dmi.get(field, "") for field in ("sys_vendor", "board_vendor", "bios_vendor")]
    hyper_v = dmi.get("sys_vendor") == "Microsoft Corporation" and product == "Virtual Machine"
    guest = hyper_v or any(text.startswith(HYPERVISORS) for text in (product, *vendors))
    return "cloud" if guest else "bare-metal"


def _azure(gpus: set[str]) -> Platform:
    if gpus & _A100:
        return "azure-nd-v4"
    if gpus & (_H100 | _H200):
        return "azure-nd-v5"
    return "azure-gb-v6" if gpus & _GRACE else "cloud"


def _amazon(instance_type: str) -> Platform:
    families: dict[str, Platform] = {"p4": "aws-p4", "p5": "aws-p5", "p6": "aws-p6"}
    return families.get(instance_type[:2], "cloud")


def _google(gpus: set[str], adapters: int) -> Platform:
    if gpus & _H100:
        return "gcp-a3-mega" if adapters >= _MEGA_ADAPTERS else "gcp-a3-high"
    if gpus & _H200:
        return "gcp-a3-ultra"
    return "gcp-a4" if gpus & _B200 else "cloud"
