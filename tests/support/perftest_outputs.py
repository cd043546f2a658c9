"""Tables and complaints as perftest prints them, with blanks, tabs and figures as in logs of real runs.

Formats: RESULT_FMT, REPORT_FMT, RESULT_FMT_LAT, REPORT_FMT_LAT of src/perftest_parameters.h, perftest 4.5 to 24.01.
"""

from __future__ import annotations

FRAME = "-" * 87

HEAD = f"""{FRAME}
                    RDMA_Write BW Test
 Dual-port       : OFF\t\tDevice         : mlx5_0
 Number of qps   : 2\t\tTransport type : IB
 Connection type : RC\t\tUsing SRQ      : OFF
 PCIe relax order: ON
 ibv_wr* API     : ON
 TX depth        : 128
 CQ Moderation   : 100
 Mtu             : 4096[B]
 Link type       : IB
 Max inline data : 0[B]
 rdma_cm QPs\t : OFF
 Data ex. method : Ethernet
{FRAME}
 local address: LID 0x02 QPN 0x0154 PSN 0x76f7ac RKey 0x1bdfdf VAddr 0x007f3e25da2000
 remote address: LID 0x01 QPN 0x0154 PSN 0xc8c064 RKey 0x1c0100 VAddr 0x007f8d8d6ee000
{FRAME}
"""
ROCE_HEAD = HEAD.replace("Link type       : IB", "Link type       : Ethernet\n GID index       : 3").replace(
    "VAddr 0x007f3e25da2000", "VAddr 0x007f3e25da2000\n GID: 00:00:00:00:00:00:00:00:00:00:255:255:10:01:16:61"
)
COLUMNS_GBITS = " #bytes     #iterations    BW peak[Gb/sec]    BW average[Gb/sec]   MsgRate[Mpps]\n"
COLUMNS_MB = COLUMNS_GBITS.replace("Gb/sec", "MB/sec")
COLUMNS_MIB = COLUMNS_GBITS.replace("Gb/sec", "MiB/sec")
COLUMNS_LATENCY = (
    " #bytes #iterations    t_min[usec]    t_max[usec]  t_typical[usec]    t_avg[usec]    t_stdev[usec]   "
    "99% percentile[usec]   99.9% percentile[usec] \n"
)
COLUMNS_DURATION = " #bytes        #iterations       t_avg[usec]    tps average\n"
LATENCY_HEAD = HEAD.replace("BW Test", "Latency Test").replace("Number of qps   : 2", "Number of qps   : 1")
CONFLICT = "Conflicting CPU frequency values detected: 3393.693000 != 1500.000000. CPU Frequency is not max.\n"

#: A run for a time has no peak.
DURATION = f"{HEAD}{COLUMNS_GBITS} 65536      213004           0.00               391.87 \t\t   0.747433\n{FRAME}\n"
ROCE = (
    f"{ROCE_HEAD}{COLUMNS_GBITS} 65536      20000            111.72             111.71             0.213070\n{FRAME}\n"
)
ITERATIONS_MB = (
    f"{HEAD}{COLUMNS_MB}{CONFLICT} 8388608    5000             23326.82            23317.65\t\t   0.002915\n{FRAME}\n"
)
MIB = f"{HEAD}{COLUMNS_MIB} 65536      5000             11728.63            11725.42             0.187606\n{FRAME}\n"
LATENCY = (
    f"{LATENCY_HEAD}{COLUMNS_LATENCY}{CONFLICT}{CONFLICT}"
    " 8       1000          1.77           4.72         1.88     \t       1.89        \t0.13   \t\t2.01    \t4.72   \n"
    f"{FRAME}\n"
)
LATENCY_DURATION = (
    f"{LATENCY_HEAD}{COLUMNS_DURATION} 2             271436            1.84           271436.17\n{FRAME}\n"
)
ALL_SIZES = (
    f"{HEAD}{COLUMNS_GBITS} 2          20000           0.147331            0.146472            9.154486\n"
    f" 4096       20000            240.98             239.57               7.311097\n"
    f" 8388608    20000            391.11             391.02               0.005827\n{FRAME}\n"
)

#: The path does not work: the other side never acknowledges.
NO_PATH = (
    f"{ROCE_HEAD}{COLUMNS_GBITS} Completion with error at client\n Failed status 12: wr_id 0 syndrom 0x81\n"
    "scnt=128, ccnt=0\n Failed to complete run_iter_bw function successfully\n"
)
NO_DEVICE = (
    " Did not detect devices \n If device exists, check if driver is up\n Unable to find the Infiniband/RoCE device\n"
)
SERVER_WAITS = f"\n{'*' * 36}\n* Waiting for client to connect... *\n{'*' * 36}\n"
