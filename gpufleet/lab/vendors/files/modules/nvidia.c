/* The core module: its names, parameters, aliases and symbols. It drives nothing. */
#include <linux/errno.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "nv-release.h"

#define NUMBER(name) \
	static unsigned int name = ~0u; \
	module_param(name, uint, 0644)
#define TEXT(name) \
	static char *name; \
	module_param(name, charp, 0644)

NUMBER(NVreg_ResmanDebugLevel);
NUMBER(NVreg_RmLogonRC);
NUMBER(NVreg_ModifyDeviceFiles);
NUMBER(NVreg_DeviceFileUID);
NUMBER(NVreg_DeviceFileGID);
NUMBER(NVreg_DeviceFileMode);
NUMBER(NVreg_InitializeSystemMemoryAllocations);
NUMBER(NVreg_UsePageAttributeTable);
NUMBER(NVreg_EnablePCIeGen3);
NUMBER(NVreg_EnableMSI);
NUMBER(NVreg_EnableStreamMemOPs);
NUMBER(NVreg_RestrictProfilingToAdminUsers);
NUMBER(NVreg_PreserveVideoMemoryAllocations);
NUMBER(NVreg_EnableS0ixPowerManagement);
NUMBER(NVreg_DynamicPowerManagement);
NUMBER(NVreg_EnableGpuFirmware);
NUMBER(NVreg_EnableGpuFirmwareLogs);
NUMBER(NVreg_OpenRmEnableUnsupportedGpus);
NUMBER(NVreg_EnableUserNUMAManagement);
NUMBER(NVreg_MemoryPoolSize);
NUMBER(NVreg_IgnoreMMIOCheck);
NUMBER(NVreg_NvLinkDisable);
NUMBER(NVreg_EnablePCIERelaxedOrderingMode);
NUMBER(NVreg_RegisterPCIDriver);
NUMBER(NVreg_EnableResizableBar);
NUMBER(NVreg_EnableDbgBreakpoint);
NUMBER(NVreg_EnableNonblockingOpen);
NUMBER(NVreg_DmaRemapPeerMmio);
NUMBER(NVreg_GrdmaPciTopoCheckOverride);
NUMBER(NVreg_CreateImexChannel0);
NUMBER(NVreg_ImexChannelCount);
TEXT(NVreg_RegistryDwords);
TEXT(NVreg_RegistryDwordsPerDevice);
TEXT(NVreg_RmMsg);
TEXT(NVreg_TemporaryFilePath);
TEXT(NVreg_ExcludedGpus);
TEXT(NVreg_CoherentGPUMemoryMode);
TEXT(rm_firmware_active);

static const struct pci_device_id ids[] = {
	{ PCI_DEVICE(0x10de, PCI_ANY_ID), .class = PCI_CLASS_DISPLAY_VGA << 8, .class_mask = ~0 },
	{ PCI_DEVICE(0x10de, PCI_ANY_ID), .class = PCI_CLASS_DISPLAY_3D << 8, .class_mask = ~0 },
	{ PCI_DEVICE(0x10de, PCI_ANY_ID), .class = PCI_CLASS_BRIDGE_OTHER << 8, .class_mask = ~0 },
	{ }
};
MODULE_DEVICE_TABLE(pci, ids);

int nvidia_p2p_get_pages(void) { return -ENODEV; }
EXPORT_SYMBOL(nvidia_p2p_get_pages);
int nvidia_p2p_put_pages(void) { return -ENODEV; }
EXPORT_SYMBOL(nvidia_p2p_put_pages);
int nvidia_get_rm_ops(void) { return -ENODEV; }
EXPORT_SYMBOL(nvidia_get_rm_ops);
int nvUvmInterfaceRegisterUvmCallbacks(void) { return -ENODEV; }
EXPORT_SYMBOL(nvUvmInterfaceRegisterUvmCallbacks);

static int __init start(void)
{
	pr_info("NVRM: loading %s\n", NV_BANNER);
	return -ENODEV;
}

static void __exit stop(void) { }

module_init(start);
module_exit(stop);
MODULE_LICENSE(NV_LICENSE);
MODULE_VERSION(NV_VERSION);
MODULE_INFO(supported, "external");
MODULE_DESCRIPTION("gpufleet lab: stand-in of NVIDIA's module");
MODULE_FIRMWARE("nvidia/" NV_VERSION "/gsp_tu10x.bin");
MODULE_FIRMWARE("nvidia/" NV_VERSION "/gsp_ga10x.bin");
MODULE_ALIAS_CHARDEV_MAJOR(195);
