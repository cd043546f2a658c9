"""Settings in the firmware of network adapters, and its version."""
