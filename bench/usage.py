"""CPU time and memory of processes, from /proc."""

import os
import time
from contextlib import suppress
from pathlib import Path

from tests.servers.process import descendants


def cpu_s(pid: int) -> float:
    """CPU time of a process and all its descendants, including those that have ended.

    A parent gets the time of a child when it waits for it. Until then the child is a zombie, and its time is
    its own. If a process begins or ends during the reading, everything is read again.
    """
    family: set[int] = set()
    while family != (now := {pid, *descendants(pid, zombies=True)}):
        family, ticks = now, 0
        for process in family:
            with suppress(FileNotFoundError, ProcessLookupError):
                fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
                ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def own_cpu_s(pid: int) -> float:
    """CPU time of a process without its descendants, exactly; `cpu_s` counts in ticks of 10 ms. Python lacks
    clock_getcpuclockid(3), which computes the id of this clock in the same way."""
    return time.clock_gettime(~pid << 3 | 2)


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(kib) / 1024
