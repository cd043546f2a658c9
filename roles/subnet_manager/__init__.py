"""OpenSM: the subnet manager of InfiniBand fabrics whose switches bring none."""
