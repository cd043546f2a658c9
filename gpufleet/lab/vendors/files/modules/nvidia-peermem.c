/* Peer memory for InfiniBand: needs the core module and, built where OFED's symbols are, OFED's ib_core. */
#include <linux/errno.h>
#include <linux/module.h>

#include "nv-release.h"

extern int nvidia_p2p_get_pages(void);

static int peerdirect_support;
module_param(peerdirect_support, int, 0444);
static int persistent_api_support = 1;
module_param(persistent_api_support, int, 0444);

#ifdef NV_MLNX_IB_PEER_MEM_SYMBOLS_PRESENT
extern int ib_register_peer_memory_client(void);
#else
static int ib_register_peer_memory_client(void) { return -EINVAL; }
#endif

static int __init start(void) { return nvidia_p2p_get_pages() ? ib_register_peer_memory_client() : -EINVAL; }

static void __exit stop(void) { }

module_init(start);
module_exit(stop);
MODULE_LICENSE("Dual BSD/GPL");
MODULE_VERSION(NV_VERSION);
MODULE_INFO(supported, "external");
MODULE_DESCRIPTION("gpufleet lab: stand-in of NVIDIA's module");
