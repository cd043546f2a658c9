"""One run of deploys over many hosts, with a result per host that can be believed."""
