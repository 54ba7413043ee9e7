"""CPU time and memory of processes, from /proc."""

import os
from contextlib import suppress
from pathlib import Path

from tests.servers.process import descendants


def cpu_s(pid: int) -> float:
    """CPU time of a process and all its descendants, including those that have ended."""
    ticks = 0
    for process in {pid, *descendants(pid)}:
        with suppress(FileNotFoundError, ProcessLookupError):
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(kib) / 1024
