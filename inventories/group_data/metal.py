"""Data of all hosts in inventories/metal.py. As the group of the file it comes last: it wins over racks and GPU types.

A dictionary named like a role holds that role's options; roles/<role>/README.md lists them with their defaults. A later
group's dictionary replaces an earlier one as a whole, so write a role's options in one kind of group only.
"""

# How to log in. The key stays in your agent or in ~/.ssh; no secret belongs in this file.
ssh_user = "operator"
ssh_known_hosts_file = "~/.ssh/known_hosts"
# Refuse hosts whose key is not known; pyinfra's default would accept the key of a host seen for the first time.
ssh_strict_host_key_checking = "yes"

# What every host has in common. Options that are not written here have their default.
base = {
    # Kernel modules to load, now and at boot; a list replaces the default list as a whole.
    "modules": ["overlay", "br_netfilter"],
    "limits": {
        # Memory a process may lock: RDMA and GPU transfers lock what they move.
        "memlock": "unlimited",
        # Files a process may have open.
        "nofile": 1048576,
    },
    # Kubernetes' kubelet does not start with swap on.
    "swap": "off",
    "cpu_governor": "performance",
    # The site's own time servers; an empty list keeps the distribution's pool.
    "time": {"servers": ["10.20.0.1", "10.20.0.2"]},
    "names": {
        # Entries for /etc/hosts that must work while DNS does not.
        "hosts": {"10.20.0.10": ["kube-api.fleet.internal", "kube-api"]},
    },
}
