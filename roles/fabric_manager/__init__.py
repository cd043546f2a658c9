"""NVIDIA's fabric manager, on hosts that manage NVSwitches."""
