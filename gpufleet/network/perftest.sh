# Measures the way between the RDMA devices of this host by perftest: each sends to the next one on its network.
# $1: seconds after which no further run begins; $2: memory, `host` or `gpu`; $3 and on: devices, none meaning every
# adapter but those of the default route.
limit=$(($(date +%s) + $1)) memory=$2
shift 2
named=" $* " port=18515
export CUDA_DEVICE_ORDER=PCI_BUS_ID

# The first port of each device, its GID and its network: devices of one network can reach each other.
devices() {
  default=$({ ip route show default; ip -6 route show default; } 2>/dev/null | tr '\n' ' ')
  for path in /sys/class/infiniband/*; do
    device=${path##*/} files=$path/ports/1 index=-1
    [ -r "$files/state" ] || continue
    case "$named" in
      "  ") is_adapter "$path/device" || continue;;
      *" $device "*) ;;
      *) continue;;
    esac
    read -r layer <"$files/link_layer"
    state=$(cut -d' ' -f2 "$files/state")
    rate=$(cut -d' ' -f1 "$files/rate")
    read -r kind <"$path/device/device"
    echo "== device $device ${kind#0x} $rate $layer"
    if [ "$state" != ACTIVE ]; then
      echo "== left $device its port is $state"
      continue
    fi
    if [ "$layer" = Ethernet ]; then
      interface=$(cat "$files/gid_attrs/ndevs/0" 2>/dev/null)
      case "$named$default" in "  "*" dev $interface "*) echo "== left $device the host is reached by it"; continue;; esac
      index=$(gid "$files" "$interface")
      network=$(ip -4 -o route show dev "${interface:-none}" proto kernel scope link 2>/dev/null | head -n1 | cut -d' ' -f1)
      if [ -z "$index" ]; then
        echo "== left $device it has no GID of RoCE v2 with an IPv4 address"
        continue
      fi
    else
      network=$(cut -d: -f1-4 "$files/gids/0")
    fi
    echo "== ready $device $index $layer/${network:-$device}"
  done
}

# Neither a virtual function, nor the port by which NVLink switches are managed.
is_adapter() {
  [ ! -e "$1/physfn" ] && ! grep -qsa SW_MNG "$1/vpd"
}

# Lowest index of a GID of type RoCE v2 that is an IPv4 address of the interface itself.
gid() {
  grep -sl '^RoCE v2' "$1"/gid_attrs/types/* | sed 's|.*/||' | sort -n | while read -r number; do
    case "$(cat "$1/gids/$number" 2>/dev/null)" in 0000:0000:0000:0000:0000:ffff:*) ;; *) continue;; esac
    [ "$(cat "$1/gid_attrs/ndevs/$number" 2>/dev/null)" = "$2" ] || continue
    echo "$number"
    break
  done
}

# The GPU that shares most of its way to the processor with a device: its number in the order of PCI addresses.
gpu() {
  for path in /sys/bus/pci/devices/*; do
    [ -r "$path/vendor" ] && [ -r "$path/class" ] || continue
    case "$(cat "$path/vendor" "$path/class" | tr '\n' ' ')" in "0x10de 0x03"*) readlink -f "$path";; esac
  done | awk -v way="$(readlink -f "/sys/class/infiniband/$1/device")" '
    BEGIN { count = split(way, wanted, "/"); best = -1 }
    { split($0, parts, "/"); for (same = 0; same < count && parts[same + 1] == wanted[same + 1]; same++);
      if (same > best) { best = same; found = NR - 1 } }
    END { if (best >= 0) print found }'
}

# Arguments of one side: its device, its GID, its GPU.
side() {
  printf '%s' "-d $1"
  [ "$2" -lt 0 ] || printf '%s' " -x $2"
  [ "$memory $3" != "gpu ib_write_bw" ] || printf '%s' " --use_cuda=$(gpu "$1")"
}

near() {
  cpus=$(cat "/sys/class/infiniband/$1/device/local_cpulist" 2>/dev/null)
  [ -z "$cpus" ] || printf '%s' "taskset -c $cpus"
}

is_listening() {
  grep -qs ":$(printf %04X "$port") 0*:0000 0A" /proc/net/tcp /proc/net/tcp6
}

# $1: tool; $2, $3: device that sends and its GID; $4, $5: device that is written to and its GID; then the tool's options.
measure() {
  tool=$1 from=$2 from_gid=$3 to=$4 to_gid=$5
  shift 5
  if [ "$(date +%s)" -ge "$limit" ]; then
    echo "== late $tool $from $to"
    return
  fi
  port=$((port + 1)) status=none tries=0
  while is_listening; do port=$((port + 1)); done
  echo "== run $tool $from $to"
  $(near "$to") timeout -k 2 30 "$tool" "$@" -p "$port" $(side "$to" "$to_gid" "$tool") 2>&1 &
  server=$!
  until is_listening || [ "$tries" -ge 200 ] || ! kill -0 "$server" 2>/dev/null; do
    tries=$((tries + 1))
    sleep 0.1
  done
  said=
  if is_listening; then
    said=$($(near "$from") timeout -k 2 30 "$tool" "$@" -p "$port" $(side "$from" "$from_gid" "$tool") \
      127.0.0.1 2>&1 </dev/null)
    status=$?
  fi
  [ "$status" = 0 ] || kill "$server" 2>/dev/null
  wait "$server" 2>/dev/null
  echo "== answer"
  printf '%s\n' "$said"
  echo "== status $status"
}

if ! command -v ib_write_bw >/dev/null || ! command -v ib_write_lat >/dev/null; then
  echo "== missing"
  exit 0
fi
bandwidth=yes
if [ "$memory" = gpu ] && ! ib_write_bw --help 2>&1 | grep -q use_cuda; then
  echo "== no cuda"
  bandwidth=no
fi
found=$(devices)
printf '%s\n' "$found" | grep '^== [dl]'
printf '%s\n' "$found" | awk '$2 == "ready" { names[$5] = names[$5] " " $3 " " $4; count[$5]++ }
  END { for (network in names) { split(names[network], row, " "); last = 2 * count[network]
    for (i = 1; i <= last; i += 2) { next_one = i + 2 > last ? 1 : i + 2
      print row[i], row[i + 1], row[next_one], row[next_one + 1], network } } }' | sort |
while read -r from from_gid to to_gid network; do
  if [ "$from" = "$to" ]; then
    echo "== left $from no second device is on its network ($network)"
    continue
  fi
  set -- "$from" "$from_gid" "$to" "$to_gid" -F
  [ "$bandwidth" = no ] || measure ib_write_bw "$@" --report_gbits -q 2 -s 65536 -D 3 -f 1
  measure ib_write_lat "$@" -s 8 -n 10000
done
true
