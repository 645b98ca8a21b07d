"""Orders of an advisor are told twice: as a whole in the advisor's account and in parts in the clients' (IBKR)."""

import re
from collections.abc import Iterable
from typing import Final

from ibapi_bridge.figures import identity, integer, read
from ibapi_bridge.replay_names import client_of
from ibapi_bridge.transcript import Line

_ADVISOR: Final = re.compile(r"D?F\d+A?", re.ASCII)
_Key = tuple[int, ...]


class Allocations:
    """The orders of which a capture holds the parts that went to clients."""

    def __init__(self, lines: Iterable[Line]) -> None:
        executed = [line for line in lines if line.name == "execDetails"]
        self._parts = {_order_of(line) for line in executed if not _is_whole(line)} - {()}

    def repeat(self, line: Line) -> bool:
        """Whether an execution is the whole of what its parts say again: only one level counts."""
        return line.name == "execDetails" and _is_whole(line) and _order_of(line) in self._parts


def _is_whole(line: Line) -> bool:
    return _ADVISOR.fullmatch(identity(read(line.args.get("execution"), "acctNumber"))) is not None


def _order_of(line: Line) -> _Key:
    """What tells an execution's order; nothing for an execution without any number."""
    execution = line.args.get("execution")
    perm_id, order_id = integer(read(execution, "permId")), integer(read(execution, "orderId"))
    if perm_id:
        return (perm_id,)
    return (client_of(line.args) or 0, order_id) if order_id else ()
