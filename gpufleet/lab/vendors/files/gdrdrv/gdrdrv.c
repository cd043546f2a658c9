/* GDRCopy's module: its name, parameters and dependency on nvidia. It drives nothing. */
#include <linux/errno.h>
#include <linux/module.h>

extern int nvidia_p2p_get_pages(void);

static int dbg_enabled;
module_param(dbg_enabled, int, 0000);
static int info_enabled;
module_param(info_enabled, int, 0000);
static int use_persistent_mapping;
module_param(use_persistent_mapping, int, 0000);

static int __init start(void) { return nvidia_p2p_get_pages() ? -ENODEV : -EINVAL; }

static void __exit stop(void) { }

module_init(start);
module_exit(stop);
MODULE_LICENSE("Dual MIT/GPL");
MODULE_VERSION("@version@");
MODULE_DESCRIPTION("gpufleet lab: stand-in of GDRCopy's module");
