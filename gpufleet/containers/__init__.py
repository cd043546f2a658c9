"""containerd's configuration: what it is for each release, and what is to be said against one before it is used."""
