"""Tables in memory. Transactions behave like PostgreSQL's READ COMMITTED, as far as the shop relies on it.

The database is for one event loop, and deterministic: no threads, time or randomness. Locks are granted in
the order of the requests. A transaction whose wait would close a deadlock fails at once (Contention).
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Mapping, MutableMapping
from typing import Any, Generic, TypeVar

from kernel.domain.errors import Contention, Unavailable

R = TypeVar("R")


class Table(Generic[R]):
    """A table of immutable rows. Each key is unique; the first one is the primary key.

    If a key's function returns None, the row does not have this key. A row that fails `check` is refused.
    """

    def __init__(
        self,
        keys: Mapping[str, Callable[[R], Hashable | None]],
        *,
        check: Callable[[R], bool] = lambda row: True,
        append_only: bool = False,
    ) -> None:
        self.keys = keys
        self.primary = next(iter(keys))
        self.check = check
        self.append_only = append_only

    def keys_of(self, row: R) -> list[tuple[str, Hashable]]:
        keys = ((by, key_of(row)) for by, key_of in self.keys.items())
        return [(by, key) for by, key in keys if key is not None]


class CheckViolation(Exception):
    """The row fails the `check` of its table."""


# For each key of a table the rows by that key. In the changes of a transaction None stands for a deleted row.
_Rows = defaultdict[str, dict[Hashable, Any]]


class _Lock:
    def __init__(self, holder: "Transaction") -> None:
        self.holder = holder
        self.waiting: deque[tuple[Transaction, asyncio.Future[None]]] = deque()


class MemoryDatabase:
    """The committed rows, and the locks of the transactions that are under way."""

    def __init__(self) -> None:
        self.tables: defaultdict[Table[Any], _Rows] = defaultdict(lambda: defaultdict(dict))
        self.locks: MutableMapping[Hashable, _Lock] = {}

    def rows(self, table: Table[R]) -> list[R]:
        return list(self.tables[table][table.primary].values())

    def get(self, table: Table[R], key: Hashable, *, by: str | None = None) -> R | None:
        return self.tables[table][by or table.primary].get(key)


class Transaction:
    """A transaction. It sees its own changes and all that others have committed so far.

    A transaction holds its locks until its end. After a deadlock the losing transaction is rolled back at
    once, and every later call on it raises the same error.
    """

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database
        self._changes: defaultdict[Table[Any], _Rows] = defaultdict(lambda: defaultdict(dict))
        self._held: list[Hashable] = []
        self._waits: tuple[_Lock, asyncio.Future[None]] | None = None
        self._ended: Exception | None = None

    def commit(self) -> None:
        self._require_open()
        for table, changes in self._changes.items():
            for by, rows in changes.items():
                committed = self._database.tables[table][by]
                for key, row in rows.items():
                    if row is None:
                        committed.pop(key, None)
                    else:
                        committed[key] = row
        self._end(RuntimeError("this transaction was committed"))

    def rollback(self, why: Exception | None = None) -> None:
        """Rolls back, also a transaction whose owner died; its wait for a lock is cancelled."""
        if self._ended is None:
            self._end(why or Unavailable("this transaction was rolled back"))

    def get(self, table: Table[R], key: Hashable, *, by: str | None = None) -> R | None:
        self._require_open()
        own: dict[Hashable, R | None] = self._changes[table][by or table.primary]
        return own[key] if key in own else self._database.get(table, key, by=by)

    def committed(self, table: Table[R]) -> list[R]:
        """The committed rows, as a statement that locks nothing sees them, without our own changes."""
        self._require_open()
        return self._database.rows(table)

    def unlocked(self, table: Table[R]) -> list[R]:
        """The rows that no other transaction has locked, in key order."""
        self._require_open()
        rows: dict[Any, R | None] = self._database.tables[table][table.primary]
        rows = rows | self._changes[table][table.primary]
        locks = self._database.locks
        free = [key for key in rows if (lock := locks.get((table, key))) is None or lock.holder is self]
        return [row for key in sorted(free) if (row := rows[key]) is not None]

    async def lock(self, table: Table[R], keys: Iterable[Hashable]) -> list[R]:
        """Locks the existing rows, in the order of `keys`. Returns each row as it is after it was locked."""
        locked = []
        for key in [key for key in keys if self.get(table, key) is not None]:
            await self._hold((table, key))
            if (row := self.get(table, key)) is not None:
                locked.append(row)
        return locked

    async def try_insert(self, table: Table[R], row: R) -> bool:
        """Inserts the row if it is new, and returns whether it was. Waits for others that change its keys."""
        held_before = len(self._held)
        for by, key in table.keys_of(row):
            await self._hold((table, by, key))
            if self.get(table, key, by=by) is not None:
                while len(self._held) > held_before:
                    self._release(self._held.pop())
                return False
        self._write(table, row, row)
        return True

    async def insert(self, table: Table[R], row: R) -> None:
        """Inserts the row. Raises Contention if a row with one of its keys exists."""
        if not await self.try_insert(table, row):
            raise self._lost("a row with this key is there already")

    async def update(self, table: Table[R], key: Hashable, change: Callable[[R], R]) -> None:
        """Locks the row and replaces it; `change` must keep its keys. Does nothing without a row."""
        self._require_changeable(table)
        for row in await self.lock(table, [key]):
            self._write(table, row, change(row))

    async def delete(self, table: Table[R], key: Hashable) -> None:
        self._require_changeable(table)
        for row in await self.lock(table, [key]):
            for by, unique in table.keys_of(row):
                await self._hold((table, by, unique))
            self._write(table, row, None)

    def _write(self, table: Table[R], old: R, new: R | None) -> None:
        if new is not None and not table.check(new):
            violation = CheckViolation(new)
            self.rollback(violation)
            raise violation
        for by, key in table.keys_of(old):
            self._changes[table][by][key] = new

    async def _hold(self, name: Hashable) -> None:
        self._require_open()
        lock = self._database.locks.get(name)
        if lock is None:
            self._database.locks[name] = _Lock(self)
            self._held.append(name)
        elif lock.holder is not self:
            await self._wait(lock)

    async def _wait(self, lock: _Lock) -> None:
        blocker: _Lock | None = lock
        while blocker is not None:
            if blocker.holder is self:
                raise self._lost("deadlock")
            blocker = blocker.holder._waits[0] if blocker.holder._waits else None
        turn = asyncio.get_running_loop().create_future()
        self._waits = (lock, turn)
        lock.waiting.append((self, turn))
        try:
            await turn
        except asyncio.CancelledError:
            self.rollback()
            raise

    def _release(self, name: Hashable) -> None:
        lock = self._database.locks[name]
        while lock.waiting:
            successor, turn = lock.waiting.popleft()
            if not turn.done():
                lock.holder, successor._waits = successor, None
                successor._held.append(name)
                turn.set_result(None)
                return
        del self._database.locks[name]

    def _end(self, why: Exception) -> None:
        self._ended = why
        if self._waits is not None:
            self._waits[1].cancel()
            self._waits = None
        for name in self._held:
            self._release(name)

    def _lost(self, why: str) -> Contention:
        lost = Contention(why)
        self.rollback(lost)
        return lost

    def _require_open(self) -> None:
        if self._ended is not None:
            raise self._ended

    def _require_changeable(self, table: Table[Any]) -> None:
        if table.append_only:
            raise TypeError("this table is append-only")
