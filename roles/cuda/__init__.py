"""CUDA toolkits, several side by side."""
