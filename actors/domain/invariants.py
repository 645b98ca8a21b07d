"""The invariants I1 to I12, checked after every decision over the orders it named.

I2 (journal before wire) is the journalled outbox's by construction; I11 (replay equals memory) and I12 (books agree
with the broker's) need more than one decision and are checked by the replay of the journal and by the portfolio.
"""

from actors.domain.book import instrument_key
from actors.domain.conclusions import is_overfilled
from actors.domain.desk_core import DeskCore
from actors.domain.order_state import ExecStatus, OrderState, Pending
from actors.messages.events import Discrepancy, FillCorrected
from actors.messages.wire import PlaceOrder, ReplacePlacedOrder

CANCELED, REJECTED, FILLED = ExecStatus.CANCELED, ExecStatus.REJECTED, ExecStatus.FILLED


class InvariantViolated(Exception):
    """Our own logic broke one of its rules: nothing it says can be trusted any more."""


def check(core: DeskCore, message: object, outbox: tuple[object, ...], high_water_before: int) -> None:
    """Check the last decision.

    Raises:
        InvariantViolated: names the invariant and the order.
    """
    for before, after in core.changes:
        if before is not None:
            _check_change(core, before, after, outbox)
    for said in outbox:
        if isinstance(said, PlaceOrder):
            _check_placing(core, said, high_water_before)
        elif isinstance(said, ReplacePlacedOrder) and not core.is_ready:
            _fail("I10", said.oms_id, "a replace leaves while the session is not READY")


def _check_placing(core: DeskCore, placed: PlaceOrder, high_water_before: int) -> None:
    if placed.order_id <= high_water_before:
        _fail("I8", placed.oms_id, f"order id {placed.order_id} is not above {high_water_before}")
    if placed.epoch != core.epoch or not core.is_ready:
        _fail("I1", placed.oms_id, "an order leaves outside of its READY connection")
    order = core.book.get(placed.oms_id)
    if order is None or order.order_id != placed.order_id:
        _fail("I1", placed.oms_id, "the book does not know the order as it was placed")
    key = instrument_key(placed.instrument.contract)
    doubted = core.book.doubted_in(key)
    if doubted:
        _fail("I10", placed.oms_id, f"it is sent while {doubted} is in doubt")
    owing = core.owing(placed.account, key) if core.owed else None
    if owing is not None and not placed.closing and core.dispute(placed.account, key) is None:
        _fail("I10", placed.oms_id, f"it is sent while executions of {owing.oms_id} are missing")


def _check_change(core: DeskCore, before: OrderState, after: OrderState, outbox: tuple[object, ...]) -> None:
    status = after.status
    if after.order_id != before.order_id and before.order_id is not None:
        _fail("I1", after.oms_id, f"sent as {before.order_id} and again as {after.order_id}")
    if status is not before.status and before.status.is_terminal:
        _check_end(before, after)
    if status.is_terminal and (after.pending is not None or after.in_doubt):
        _fail("I9", after.oms_id, "it is over and still awaits something")
    if after.fills is not before.fills:
        _check_fills(before, after, outbox)
    if after.pending is not None and not after.external:
        _check_pending(core, after)


def _check_end(before: OrderState, after: OrderState) -> None:
    explained = before.status is CANCELED and after.status is REJECTED and not after.fills
    if after.status is not FILLED and not explained:
        _fail("I5", after.oms_id, f"{before.status.value} became {after.status.value}")


def _check_fills(before: OrderState, after: OrderState, outbox: tuple[object, ...]) -> None:
    oms_id = after.oms_id
    if not before.fills.keys() <= after.fills.keys():
        _fail("I4", oms_id, "a fill vanished")
    if after.filled is before.filled:
        return
    if after.filled < before.filled and not any(
        isinstance(said, FillCorrected) and said.order.oms_id == oms_id for said in outbox
    ):
        _fail("I4", oms_id, "filled fell without a correction")
    overfilled = is_overfilled(after) and after.filled != before.filled and not after.external
    if overfilled and not any(isinstance(said, Discrepancy) and said.kind == "OVERFILL" for said in outbox):
        _fail("I3", oms_id, "over-filled without an alarm")


def _check_pending(core: DeskCore, after: OrderState) -> None:
    """What is pending has a deadline or is in doubt; only orders on the wire can be pending."""
    current = core.book.get(after.oms_id)
    if current is not after or after.in_doubt:
        return
    if not core.deadlines.is_awaited((after.oms_id, "answer")):
        _fail("I9", after.oms_id, f"its {after.pending} has no deadline")
    if after.pending is Pending.SUBMIT and after.order_id is None:
        _fail("I1", after.oms_id, "it is pending without having been sent")


def _fail(invariant: str, subject: str, text: str) -> None:
    raise InvariantViolated(f"{invariant} {subject}: {text}")
