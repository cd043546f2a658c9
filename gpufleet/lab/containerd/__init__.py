"""containerd for a lab's nodes: real programs, in packages as Docker makes them, below Docker's repository layout."""
