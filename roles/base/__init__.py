"""What every host of the fleet has in common, whatever runs on it."""
