"""A host's adapters of the lab's simulated fabric; runs on the python3-minimal of lab hosts."""
