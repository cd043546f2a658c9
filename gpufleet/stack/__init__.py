"""What fits together: data with sources, and pure functions over it."""
