"""NCCL's configuration: which variables there are, what each platform wants of them, and what pods get."""
