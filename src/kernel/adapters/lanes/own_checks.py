from collections.abc import Sequence

from kernel.domain.faults import SHOWN_MAX, Checked
from kernel.ports.own_checks import OwnChecks


class OwnChecksOfLanes:
    def __init__(self, lanes: Sequence[OwnChecks]) -> None:
        self._lanes = lanes

    async def run(self) -> Sequence[Checked]:
        """Runs the checks of one lane after the other, because they keep the database server busy."""
        joined: dict[str, Checked] = {}
        for lane in self._lanes:
            for one in await lane.run():
                known = joined.setdefault(one.check, Checked(one.check))
                known.count += one.count
                known.fault_count += one.fault_count
                known.faults = [*known.faults, *one.faults][:SHOWN_MAX]
        return list(joined.values())
