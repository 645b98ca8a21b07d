"""How fast the order core decides: ``python -m benchmarks.core``.

One lifetime is submit, acknowledgement, execution, "filled" and commission: five decisions. Times are processor time of
one core, so that a busy machine does not count.
"""

import gc
import sys
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from time import process_time
from typing import Any

from actors.domain.contract import Contract, Instrument
from actors.domain.desk import Desk, DeskConfig
from actors.domain.identity import Account, ClientId, Epoch, ExecId, OmsId, OrderId, PermId
from actors.domain.terms import Order, Side
from actors.messages.commands import SubmitOrder
from actors.messages.reports import (
    BrokerStatus,
    CommissionReported,
    ExecutionReported,
    InstrumentReported,
    OrderStatusReported,
    SnapshotEnded,
    SnapshotKind,
)
from actors.messages.system import SessionChanged, SessionState

AT = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
SPY = Contract(symbol="SPY", con_id=756733)
ORDER = Order(side=Side.BUY, quantity=100, symbol="SPY")
EPOCH, CLIENT, ACCOUNT = Epoch(1), ClientId(1), Account("DU1234567")


def ready_desk(config: DeskConfig) -> Desk:
    """A desk in a READY session with one instrument."""
    desk = Desk(config)
    begin = SessionChanged(
        at=AT, epoch=EPOCH, state=SessionState.RECONCILING, next_order_id=OrderId(1), accounts=(ACCOUNT,)
    )
    desk.decide(begin)
    for kind in SnapshotKind:
        desk.decide(SnapshotEnded(at=AT, epoch=EPOCH, kind=kind))
    desk.decide(SessionChanged(at=AT, epoch=EPOCH, state=SessionState.READY))
    desk.decide(
        InstrumentReported(at=AT, epoch=EPOCH, wanted=Contract(symbol="SPY"), instrument=Instrument(contract=SPY))
    )
    return desk


def lifetime(number: int) -> tuple[Any, ...]:
    """The messages of one order's life."""
    oms_id, order_id, perm_id, exec_id = OmsId(f"o{number}"), OrderId(number), PermId(number), ExecId(f"e{number}.01")
    status: dict[str, Any] = {"at": AT, "epoch": EPOCH, "order_id": order_id, "perm_id": perm_id, "client_id": CLIENT}
    return (
        SubmitOrder(at=AT, oms_id=oms_id, order=ORDER),
        OrderStatusReported(status=BrokerStatus.WORKING, filled=Decimal(0), **status),
        ExecutionReported(
            at=AT,
            epoch=EPOCH,
            exec_id=exec_id,
            contract=SPY,
            side=Side.BUY,
            quantity=Decimal(100),
            price=Decimal("495.01"),
            order_id=order_id,
            perm_id=perm_id,
            client_id=CLIENT,
            account=ACCOUNT,
            order_ref=oms_id,
        ),
        OrderStatusReported(status=BrokerStatus.FILLED, filled=Decimal(100), **status),
        CommissionReported(at=AT, epoch=EPOCH, exec_id=exec_id, commission=Decimal(1), currency="USD"),
    )


def seconds_for(decide: Callable[[Any], Any], messages: list[Any]) -> float:
    """Processor seconds to decide all messages."""
    gc.collect()
    began = process_time()
    for message in messages:
        decide(message)
    return process_time() - began


def report_speed(lifetimes: int, *, check_invariants: bool) -> None:
    """Print decisions and lifetimes a second."""
    desk = ready_desk(DeskConfig(check_invariants=check_invariants))
    messages = [message for number in range(1, lifetimes + 1) for message in lifetime(number)]
    seconds = seconds_for(desk.decide, messages)
    label = "with invariants   " if check_invariants else "without invariants"
    print(
        f"{label} {len(messages) / seconds:10,.0f} decisions/s {lifetimes / seconds:9,.0f} lifetimes/s "
        f"{seconds / len(messages) * 1e6:6.1f} us/decision"
    )


def report_growth(sizes: tuple[int, ...]) -> None:
    """Print what a decision costs when the book is full of open orders."""
    for size in sizes:
        desk = ready_desk(DeskConfig())
        for number in range(1, size + 1):
            desk.decide(SubmitOrder(at=AT, oms_id=OmsId(f"open{number}"), order=ORDER))
        messages = [message for number in range(size + 1, size + 2001) for message in lifetime(number)]
        seconds = seconds_for(desk.decide, messages)
        print(f"{size:7,} open orders    {seconds / len(messages) * 1e6:6.1f} us/decision")


def report_memory(orders: int) -> None:
    """Print what a closed order keeps in memory, kept in full and evicted."""
    for keep, label in ((orders, "kept in full"), (0, "evicted     ")):
        desk = ready_desk(DeskConfig(keep_closed=keep, keep_names=orders))
        tracemalloc.start()
        for number in range(1, orders + 1):
            for message in lifetime(number):
                desk.decide(message)
        grown, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        print(f"closed order {label} {grown / orders:7,.0f} bytes")


def main(lifetimes: int) -> None:
    """Print everything."""
    report_speed(lifetimes, check_invariants=False)
    report_speed(lifetimes, check_invariants=True)
    report_growth((0, 1_000, 20_000))
    report_memory(5_000)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
