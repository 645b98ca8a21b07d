"""The simulated broker's lists, as a client asks for them, and its instruments."""

from typing import TYPE_CHECKING

from actors.domain.contract import Contract, Instrument
from actors.domain.identity import RequestId
from actors.messages.reports import AccountValueReported, SnapshotEnded, SnapshotKind
from strategy.simulate.venue_order import ACCOUNT
from strategy.simulate.venue_ports import Wire

if TYPE_CHECKING:
    from strategy.simulate.venue import Venue


def answer(venue: "Venue", line: Wire, kind: SnapshotKind) -> None:
    """Say one list and its end."""
    at, words = line.arrival, venue.words
    match kind:
        case SnapshotKind.OPEN_ORDERS:
            for order in venue.alive.values():
                line.say(words.echo(order, at, snapshot=True))
        case SnapshotKind.EXECUTIONS:
            _list_executions(venue, line)
        case SnapshotKind.COMPLETED_ORDERS:
            for order in venue.orders.values():
                if not order.is_alive:
                    line.say(words.completed(order, at, with_figure=venue.is_talkative))
        case SnapshotKind.POSITIONS:
            for contract, quantity in venue.books.holdings.items():
                line.say(words.position(ACCOUNT, contract, quantity, at))
        case SnapshotKind.ACCOUNT:
            _list_account(venue, line)
    line.say(SnapshotEnded(at=at, epoch=words.epoch, kind=kind))


def _list_executions(venue: "Venue", line: Wire) -> None:
    at = line.arrival
    for execution in venue.books.executions:
        if execution.is_reported and execution.quantity:
            line.say(venue.words.execution(execution, at, request_id=RequestId(1)))
            line.say(venue.words.commission(execution, at))


def _list_account(venue: "Venue", line: Wire) -> None:
    at, epoch = line.arrival, venue.words.epoch
    for key, value in (("TotalCashValue", venue.books.cash), ("NetLiquidation", venue.books.equity)):
        line.say(AccountValueReported(at=at, epoch=epoch, account=ACCOUNT, key=key, value=str(value), currency="USD"))


def listed(wanted: Contract) -> Instrument:
    """The instrument of a contract: there is every symbol, with an id that is the same in every process."""
    number = 0
    for letter in wanted.symbol:
        number = (number * 131 + ord(letter)) % 1_000_003
    return Instrument(
        contract=Contract(
            symbol=wanted.symbol,
            sec_type=wanted.sec_type,
            currency=wanted.currency,
            multiplier=wanted.multiplier,
            con_id=number + 1,
        )
    )
