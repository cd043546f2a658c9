"""The lab's InfiniBand fabric: ibsim in a container of its own, made of a plan, and adapters on hosts that use it."""
