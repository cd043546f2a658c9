"""IP over InfiniBand: interfaces, their addresses, and partitions, by the network manager that the host really uses."""
