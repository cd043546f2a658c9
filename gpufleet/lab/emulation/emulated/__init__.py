"""The emulated hardware of a lab host, Python 3.11's minimal standard library only (no json, no dataclasses)."""
