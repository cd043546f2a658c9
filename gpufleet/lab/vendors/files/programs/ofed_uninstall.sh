#!/bin/sh
# Removes the network stack; with --force unasked.
set -euf
[ "${1-}" = --force ] || exit 1
names='doca-* mlnx-* ofed-scripts iser-dkms isert-dkms srp-dkms rdma-core libibverbs* ibverbs-* librdmacm* rdmacm-utils ibacm
    srptools srp_daemon libibumad* libibmad* libibnetdisc* infiniband-diags perftest opensm* libopensm* mft openmpi ucx'
if command -v dpkg-query > /dev/null; then
    # shellcheck disable=SC2046,SC2086
    apt-get -q -y purge $(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $names 2> /dev/null | sed -n 's/^installed //p')
else
    # shellcheck disable=SC2046,SC2086
    rpm -e $(rpm -qa $names --qf '%{NAME}\n')
fi
