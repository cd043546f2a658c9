/* Mode setting: needs the core module, and is needed by nvidia-drm. */
#include <linux/errno.h>
#include <linux/module.h>

#include "nv-release.h"

extern int nvidia_get_rm_ops(void);

static bool disable_vrr_memclk_switch;
module_param(disable_vrr_memclk_switch, bool, 0400);

int nvKmsKapiGetFunctionsTable(void) { return -ENODEV; }
EXPORT_SYMBOL(nvKmsKapiGetFunctionsTable);

static int __init start(void) { return nvidia_get_rm_ops() ? -ENODEV : -EINVAL; }

static void __exit stop(void) { }

module_init(start);
module_exit(stop);
MODULE_LICENSE(NV_LICENSE);
MODULE_VERSION(NV_VERSION);
MODULE_INFO(supported, "external");
MODULE_DESCRIPTION("gpufleet lab: stand-in of NVIDIA's module");
