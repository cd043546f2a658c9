"""Turn hosts with GPUs into verified Kubernetes GPU nodes."""
