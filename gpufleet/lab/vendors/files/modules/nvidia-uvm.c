/* Unified memory: needs the core module. */
#include <linux/errno.h>
#include <linux/module.h>

#include "nv-release.h"

extern int nvUvmInterfaceRegisterUvmCallbacks(void);

static int uvm_disable_hmm;
module_param(uvm_disable_hmm, int, 0444);
static int uvm_debug_prints;
module_param(uvm_debug_prints, int, 0644);

static int __init start(void) { return nvUvmInterfaceRegisterUvmCallbacks() ? -ENODEV : -EINVAL; }

static void __exit stop(void) { }

module_init(start);
module_exit(stop);
MODULE_LICENSE("Dual MIT/GPL");
MODULE_VERSION(NV_VERSION);
MODULE_INFO(supported, "external");
MODULE_DESCRIPTION("gpufleet lab: stand-in of NVIDIA's module");
