#!/bin/bash
# Starts the fabric manager, on NVLink 5 systems after the subnet manager of the switches; stops both.
set -u
fm_config=/usr/share/nvidia/nvswitch/fabricmanager.cfg fm_pid=/var/run/nvidia-fabricmanager/nv-fabricmanager.pid
lsm_config=/usr/share/nvidia/nvlsm/nvlsm.conf lsm_pid=/var/run/nvidia-fabricmanager/nvlsm.pid mode=start
while [ $# -gt 0 ]; do
    case $1 in
        --mode) mode=$2 ;;
        --fm-config-file) fm_config=$2 ;;
        --fm-pid-file) fm_pid=$2 ;;
        --nvlsm-config-file) lsm_config=$2 ;;
        --nvlsm-pid-file) lsm_pid=$2 ;;
        *) echo "unknown option $1" >&2; exit 1 ;;
    esac
    shift 2
done

end() { [ ! -s "$1" ] || kill "$(cat "$1")" 2>/dev/null; rm -f "$1"; }

# NVLink 5: a ConnectX manages the switches and says so in its product data.
nvlink5() { grep -q -s -a SW_MNG /sys/bus/pci/devices/*/vpd; }

if [ "$mode" = stop ]; then
    end "$fm_pid"
    end "$lsm_pid"
    exit 0
fi
mkdir -p /var/run/nvidia-fabricmanager
if nvlink5; then
    echo "Detected NVL5+ system"
    if [ ! -d /sys/module/ib_umad ]; then
        echo "ib_umad is not loaded: the subnet manager cannot reach the switches" >&2
        exit 1
    fi
    if ! command -v ibstat >/dev/null; then
        echo "ibstat is not installed" >&2
        exit 1
    fi
    if [ ! -x /opt/nvidia/nvlsm/sbin/nvlsm ]; then
        echo "/opt/nvidia/nvlsm/sbin/nvlsm is not installed" >&2
        exit 1
    fi
    /opt/nvidia/nvlsm/sbin/nvlsm -F "$lsm_config" --pid_file "$lsm_pid" || exit 1
else
    echo "Detected Pre-NVL5 system"
fi
/usr/bin/nv-fabricmanager -c "$fm_config"
status=$?
if [ $status -ne 0 ]; then
    echo "\"/usr/bin/nv-fabricmanager -c $fm_config\" failed! Exit code: $status" >&2
    end "$lsm_pid"
    exit 1
fi
