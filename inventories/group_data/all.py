"""Data of every host in every inventory of this folder."""

# Log in as a normal user and become root by sudo, for every operation and fact.
_sudo = True

# Every host gets the base; `{}` takes each option's default. roles/base/README.md lists them.
base = {}
