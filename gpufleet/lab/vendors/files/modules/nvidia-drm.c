/* Direct rendering: needs nvidia-modeset and the kernel's drm. */
#include <linux/errno.h>
#include <linux/module.h>

#include "nv-release.h"

extern int nvKmsKapiGetFunctionsTable(void);
extern void drm_dev_put(void *device);

static bool modeset;
module_param(modeset, bool, 0400);
static bool fbdev;
module_param(fbdev, bool, 0400);
void *nvidia_drm_device;

static int __init start(void) { return (drm_dev_put(nvidia_drm_device), nvKmsKapiGetFunctionsTable()) ? -ENODEV : -EINVAL; }

static void __exit stop(void) { }

module_init(start);
module_exit(stop);
MODULE_LICENSE("Dual MIT/GPL");
MODULE_VERSION(NV_VERSION);
MODULE_INFO(supported, "external");
MODULE_DESCRIPTION("gpufleet lab: stand-in of NVIDIA's module");
