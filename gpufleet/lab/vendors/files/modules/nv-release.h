/* What this build says of itself. */
#define NV_VERSION "@version@"
#define NV_LICENSE "@license@"
#define NV_BANNER "NVIDIA UNIX @build@  @version@  Release Build  (gpufleet@lab)  Mon Dec  1 00:00:00 UTC 2025"
