import os
import subprocess
import sys

from bench.usage import cpu_s, own_cpu_s

BUSY_S = 0.1
BUSY = f"import time\nwhile time.process_time() < {BUSY_S}: pass"


def test_a_child_that_has_ended_counts_before_and_after_its_parent_waits_for_it() -> None:
    own = os.getpid()
    before = cpu_s(own) - own_cpu_s(own)
    child = subprocess.Popen([sys.executable, "-c", BUSY])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    as_zombie = cpu_s(own) - own_cpu_s(own)
    child.wait()
    waited_for = cpu_s(own) - own_cpu_s(own)
    tick_s = 1 / os.sysconf("SC_CLK_TCK")
    assert min(as_zombie, waited_for) - before >= BUSY_S - 4 * tick_s
