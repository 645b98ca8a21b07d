"""Who hears what: two tables, read by the link's thread and by the actors that decide.

One conversation, one path: everything about orders travels link -> order manager -> others, so that no two paths
between the same parties can reorder it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from actors.base import Address, deliver, deliver_all
from actors.conflation import QuoteBox
from actors.domain.identity import Epoch
from actors.fault_points import reached_all
from actors.link import HearsReports
from actors.messages import commands, events, portfolio, reports, schedule, system, wire
from actors.messages.reports import QuoteReported, Report


class Router:
    """Tells a message to the addresses of its class; a class without a row is a wiring mistake."""

    def __init__(self, table: Mapping[type[Any], tuple[Address[Any], ...]]) -> None:
        self._table = dict(table)
        ranks = {id(address): place for place, address in sorted(self._places(), key=lambda found: found[0])}
        addresses = {id(address): address for _, address in self._places()}
        order = sorted(addresses, key=ranks.__getitem__)
        self._recipients = tuple(addresses[each] for each in order)
        self._boxes = {kind: tuple(order.index(id(address)) for address in row) for kind, row in self._table.items()}

    def _places(self) -> Iterator[tuple[int, Address[Any]]]:
        return (found for row in self._table.values() for found in enumerate(row))

    @property
    def rows(self) -> Mapping[type[Any], tuple[Address[Any], ...]]:
        """Who hears of each class, in order; for whoever delivers single messages on one thread."""
        return self._table

    def __call__(self, *messages: object) -> None:
        """Deliver messages, to each recipient in order and for one wake-up.

        Whoever stands last in a row is told last: the order manager concludes nothing from reports that those it
        tells its conclusions have not been told.
        """
        reached_all("route", messages)
        if len(messages) == 1:
            for address in self._table[type(messages[0])]:
                deliver(address, messages[0])
            return
        mail: list[list[object]] = [[] for _ in self._recipients]
        for message in messages:
            for box in self._boxes[type(message)]:
                mail[box].append(message)
        for recipient, waiting in zip(self._recipients, mail, strict=True):
            if waiting:
                deliver_all(recipient, waiting)

    def all(self, messages: tuple[object, ...]) -> None:
        """As calling it, but messages for the wire first: nobody else's wake-up may delay them."""
        if len(messages) > 1:
            for_wire = [message for message in messages if isinstance(message, wire.WireCommand)]
            if for_wire:
                self(*for_wire)
                messages = tuple([message for message in messages if not isinstance(message, wire.WireCommand)])
        if messages:
            self(*messages)


class NoticesOfNoOrder:
    """Passes on broker notices that no order event will tell of, for people to read.

    One that only repeats the last is left out: a gateway says 1100 again and again through a night (IBKR).
    """

    _SHOWN = frozenset(
        {
            reports.NoticeKind.MARKET_DATA,
            reports.NoticeKind.PACING,
            reports.NoticeKind.CONNECTION,
            reports.NoticeKind.CONFIGURATION,
            reports.NoticeKind.REQUEST_FAILED,
            reports.NoticeKind.CLIENT,
        }
    )
    _DULL = frozenset({reports.NoticeKind.INFO, reports.NoticeKind.FARM})

    def __init__(self, listener: Address[Any]) -> None:
        self._listener = listener
        self._last: tuple[Epoch, int, str] | None = None

    def tell(self, notice: reports.NoticeReported) -> None:
        """Deliver notices about data, requests and the connection, and whatever names nothing and may matter."""
        said = (notice.epoch, notice.code, notice.text)
        is_shown = notice.kind in self._SHOWN or (notice.subject is None and notice.kind not in self._DULL)
        if is_shown and said != self._last:
            self._last = said
            deliver(self._listener, notice)


def report_routes(
    *,
    connector: Address[Any],
    order_manager: Address[Any],
    position_keeper: Address[Any],
    scheduler: Address[Any],
    listener: Address[Any],
) -> Router:
    """Where the broker's statements go; quotes have a way of their own (``QuoteFan``)."""
    return Router(
        {
            reports.OrderStatusReported: (order_manager,),
            reports.OpenOrderReported: (order_manager,),
            reports.CompletedOrderReported: (order_manager,),
            reports.ExecutionReported: (order_manager,),
            reports.CommissionReported: (order_manager,),
            reports.NoticeReported: (order_manager, NoticesOfNoOrder(listener)),
            reports.OrderBoundReported: (order_manager,),
            reports.NextOrderIdReported: (connector, order_manager),
            reports.AccountsReported: (connector, order_manager),
            reports.SnapshotEnded: (connector, position_keeper, order_manager),
            reports.PositionReported: (position_keeper, order_manager),
            reports.AccountValueReported: (position_keeper,),
            reports.InstrumentReported: (scheduler, order_manager),
            reports.InstrumentRefused: (order_manager,),
            reports.ServerTimeReported: (connector,),
            reports.FrameDamaged: (order_manager,),
            reports.LinkConditionReported: (connector,),
            reports.ConnectionLost: (connector,),
        }
    )


def decision_routes(
    *,
    connector: Address[Any],
    order_manager: Address[Any],
    position_keeper: Address[Any],
    scheduler: Address[Any],
    strategy_host: Address[Any],
    listeners: tuple[Address[Any], ...],
) -> Router:
    """Where commands and conclusions go, whoever said them."""
    told = (strategy_host, *listeners)
    booked = (position_keeper, strategy_host, *listeners)
    wire_commands = (
        wire.PlaceOrder,
        wire.ReplacePlacedOrder,
        wire.CancelPlacedOrder,
        wire.QuerySnapshot,
        wire.QualifyContract,
        wire.SeekConnection,
        wire.Subscribe,
    )
    to_order_manager = (
        commands.SubmitOrder,
        commands.CancelOrder,
        commands.ReplaceOrder,
        commands.LockNewExposure,
        commands.AdoptOrder,
        commands.Reconcile,
        commands.BlockInstrument,
        commands.SuspectPosition,
        commands.StateChanged,
    )
    conclusions = (
        events.OrderSubmitted,
        events.OrderAccepted,
        events.OrderHeld,
        events.OrderCompleted,
        events.OrderCanceled,
        events.OrderRejected,
        events.CancelRefused,
        events.OrderReplaced,
        events.ReplaceRefused,
        events.OrderInDoubt,
        events.OrderResolved,
        events.OrderWarned,
        events.SignalRecorded,
        events.Discrepancy,
        events.TradingHalted,
        events.StrategyFailed,
        events.StrategyNoted,
        events.OrderInvalid,
        events.ExecutionUnmatched,
    )
    table: dict[type[Any], tuple[Address[Any], ...]] = dict.fromkeys(wire_commands, (connector,))
    table |= dict.fromkeys(to_order_manager, (order_manager,))
    table |= dict.fromkeys(conclusions, told)
    table |= dict.fromkeys(
        (events.OrderFilled, events.FillCorrected, events.CommissionCharged, events.Reconciled), booked
    )
    table[wire.FinishReconciliation] = (position_keeper,)  # passed on once it has said which positions differ
    table[commands.FlattenAll] = (order_manager, *listeners)
    table[events.PositionMismatched] = (order_manager, strategy_host, *listeners)
    table |= dict.fromkeys((schedule.MarketOpened, schedule.MarketClosed), told)
    table[schedule.TimerFired] = (strategy_host,)
    table[schedule.ScheduleTimer] = (scheduler,)
    table[portfolio.PortfolioSnapshot] = (strategy_host,)
    table[system.SessionChanged] = told
    return Router(table)


class QuoteFan:
    """Quotes go to one conflating box per reader."""

    def __init__(self, readers: tuple[tuple[QuoteBox, Address[Any]], ...], rest: HearsReports) -> None:
        self._readers = readers
        self._rest = rest

    def __call__(self, *reports: Report) -> None:
        """Called on the link's thread for all reports."""
        if QuoteReported in map(type, reports):
            quotes = [report for report in reports if type(report) is QuoteReported]
            for box, owner in self._readers:
                box.put(quotes, owner)
            reports = tuple([report for report in reports if type(report) is not QuoteReported])
        if reports:
            self._rest(*reports)
