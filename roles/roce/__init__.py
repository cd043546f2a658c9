"""RDMA over Converged Ethernet: lossless queues, congestion notification and traffic classes, on every boot."""
