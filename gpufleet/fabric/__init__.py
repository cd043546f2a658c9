"""The InfiniBand fabric as data: the plan, what was found, and where the two differ."""
