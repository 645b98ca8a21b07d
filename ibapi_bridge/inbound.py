"""What the broker said -> reports in our words: ``translate`` knows one row for each callback.

The callbacks are keyed by the official EWrapper method names, their arguments by the official parameter names. The same
rows read official objects, protobuf messages and captures. Nothing raises out: what cannot be understood becomes
``FrameDamaged``.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from actors.domain.identity import Account, ClientId, Epoch, ExecId, OrderId, PermId, RequestId
from actors.messages.reports import (
    CommissionReported,
    CompletedOrderReported,
    ExecutionReported,
    FrameDamaged,
    NextOrderIdReported,
    OpenOrderReported,
    OrderBoundReported,
    OrderStatusReported,
    Report,
    SnapshotEnded,
    SnapshotKind,
)
from ibapi_bridge import inbound_account, inbound_market, qualifying, vocabulary
from ibapi_bridge.conversation import Conversation
from ibapi_bridge.figures import (
    UNSET_INTEGER,
    Untranslatable,
    figure,
    identity,
    integer,
    needed,
    quantity,
    read,
    read_number,
    text,
)
from ibapi_bridge.inbound_notices import error
from ibapi_bridge.inbound_terms import contract_of, order_of
from ibapi_bridge.redaction import redacted
from ibapi_bridge.spoken import Spoken
from ibapi_bridge.times import execution_time

Args = Mapping[str, object]
_EXCERPT_LIMIT: Final = 400


def translate(name: str, args: Args, *, at: datetime, epoch: Epoch, context: Conversation) -> tuple[Report, ...]:
    """The reports behind one callback; none for callbacks that an execution layer has no use for.

    Args:
        name: official EWrapper method name.
        args: its arguments by official parameter names, as official objects or protobuf messages.
        at: when it was received, aware UTC.
        epoch: of the connection.
        context: what was asked on this connection; it is told what was answered.
    """
    row = CALLBACKS.get(name)
    if row is None:
        return ()
    try:
        return row(Spoken(at=at, epoch=epoch, context=context, args=args))
    except Exception as problem:  # noqa: BLE001 - the boundary: one bad statement must not end the connection
        context.tear(name)
        return (damaged(name, problem, repr(dict(args)), at=at, epoch=epoch),)


def damaged(name: str, problem: BaseException, excerpt: str, *, at: datetime, epoch: Epoch) -> FrameDamaged:
    """A frame that could not be understood, its content shortened and account numbers masked."""
    reason = text(str(problem) if isinstance(problem, Untranslatable) else f"{type(problem).__name__}: {problem}", 300)
    return FrameDamaged(
        at=at,
        epoch=epoch,
        name=text(name, 64),
        reason=redacted(reason),
        excerpt=redacted(text(excerpt, _EXCERPT_LIMIT)),
    )


def _order_status(said: Spoken) -> tuple[Report, ...]:
    args = said.args
    word = text(args.get("status"), 64)
    return (
        OrderStatusReported(
            at=said.at,
            epoch=said.epoch,
            order_id=OrderId(integer(args.get("orderId"))),
            status=vocabulary.broker_status(word),
            raw_status=word,
            perm_id=PermId(integer(args.get("permId"))),
            client_id=ClientId(integer(args.get("clientId"))),
            filled=quantity(args.get("filled")),
            remaining=quantity(args.get("remaining")),
            average_price=figure(args.get("avgFillPrice")),
            last_price=figure(args.get("lastFillPrice")),
            parent_id=OrderId(integer(args.get("parentId"))),
            why_held=text(args.get("whyHeld"), 256),
            price_cap=figure(args.get("mktCapPrice")) or None,
        ),
    )


def _open_order(said: Spoken) -> tuple[Report, ...]:
    contract = contract_of(said.args.get("contract"))
    source, state = said.args.get("order"), said.args.get("orderState")
    word = text(read(state, "status"), 64)
    return (
        OpenOrderReported(
            at=said.at,
            epoch=said.epoch,
            order_id=OrderId(integer(said.args.get("orderId"))),
            contract=contract,
            order=order_of(contract, source),
            status=vocabulary.broker_status(word),
            raw_status=word,
            perm_id=PermId(integer(read(source, "permId"))),
            client_id=ClientId(integer(read(source, "clientId"))),
            account=Account(identity(read(source, "account"))),
            order_ref=identity(read(source, "orderRef")),
            parent_id=OrderId(integer(read(source, "parentId"))),
            filled=quantity(read(source, "filledQuantity")),
            reject_reason=text(read(state, "rejectReason")),
            warning=text(read(state, "warningText")),
            what_if=bool(read(source, "whatIf")),
            snapshot=said.context.is_pending(SnapshotKind.OPEN_ORDERS),
        ),
    )


def _completed_order(said: Spoken) -> tuple[Report, ...]:
    contract = contract_of(said.args.get("contract"))
    source, state = said.args.get("order"), said.args.get("orderState")
    word = text(read(state, "status"), 64)
    return (
        CompletedOrderReported(
            at=said.at,
            epoch=said.epoch,
            contract=contract,
            order=order_of(contract, source),
            status=vocabulary.broker_status(word),
            raw_status=word,
            perm_id=PermId(integer(read(source, "permId"))),
            account=Account(identity(read(source, "account"))),
            order_ref=identity(read(source, "orderRef")),
            filled=quantity(read(source, "filledQuantity")),
            completed_status=text(read(state, "completedStatus"), 1024).strip(),
            reject_reason=text(read(state, "rejectReason")),
        ),
    )


def _execution(said: Spoken) -> tuple[Report, ...]:
    source = said.args.get("execution")
    exec_id = identity(read(source, "execId"))
    if not exec_id:
        raise Untranslatable("execId is empty: an execution needs one")
    request_id = integer(said.args.get("reqId"))
    raw_order_id = integer(read(source, "orderId"))
    return (
        ExecutionReported(
            at=said.at,
            epoch=said.epoch,
            exec_id=ExecId(exec_id),
            contract=contract_of(said.args.get("contract")),
            side=vocabulary.side(text(read(source, "side"))),
            quantity=needed("shares", quantity(read(source, "shares")), read(source, "shares")),
            price=needed("price", figure(read_number(source, "price")), read(source, "price")),
            executed_at=execution_time(text(read(source, "time"), 256), said.at),
            request_id=RequestId(request_id) if request_id > 0 else None,
            order_id=OrderId(raw_order_id) if raw_order_id else None,
            perm_id=PermId(integer(read(source, "permId"))),
            client_id=ClientId(integer(read(source, "clientId"))),
            account=Account(identity(read(source, "acctNumber"))),
            order_ref=identity(read(source, "orderRef")),
            cumulative_quantity=quantity(read(source, "cumQty")),
            average_price=figure(read_number(source, "avgPrice")),
            venue=identity(read(source, "exchange")),
            liquidity=integer(read(source, "lastLiquidity")),
            liquidation=bool(read(source, "liquidation") or read(source, "isLiquidation")),
        ),
    )


def _commission(said: Spoken) -> tuple[Report, ...]:
    source = said.args.get("commissionAndFeesReport") or said.args.get("commissionReport")
    paid = read_number(source, "commissionAndFees")
    return (
        CommissionReported(
            at=said.at,
            epoch=said.epoch,
            exec_id=ExecId(identity(read(source, "execId"))),
            commission=figure(read(source, "commission") if paid is None else paid),
            currency=identity(read(source, "currency")),
            realized_pnl=figure(read_number(source, "realizedPNL")),
        ),
    )


def _next_valid_id(said: Spoken) -> tuple[Report, ...]:
    lowest = integer(said.args.get("orderId"))
    if not 0 <= lowest < UNSET_INTEGER:
        raise Untranslatable(f"orderId is {lowest}: it must be a positive 32-bit number")
    return (NextOrderIdReported(at=said.at, epoch=said.epoch, order_id=OrderId(lowest)),)


def _order_bound(said: Spoken) -> tuple[Report, ...]:
    return (
        OrderBoundReported(
            at=said.at,
            epoch=said.epoch,
            perm_id=PermId(integer(said.args.get("permId"))),
            client_id=ClientId(integer(said.args.get("clientId"))),
            order_id=OrderId(integer(said.args.get("orderId"))),
        ),
    )


def _list_end(kind: SnapshotKind) -> Callable[[Spoken], tuple[Report, ...]]:
    def ended(said: Spoken) -> tuple[Report, ...]:
        return _end(said, kind) if said.context.ended(kind) else ()

    return ended


def _list_end_by_id(kind: SnapshotKind) -> Callable[[Spoken], tuple[Report, ...]]:
    def ended(said: Spoken) -> tuple[Report, ...]:
        return _end(said, kind) if said.context.ended_by_id(integer(said.args.get("reqId")), kind) else ()

    return ended


def _end(said: Spoken, kind: SnapshotKind) -> tuple[Report, ...]:
    if said.context.came_in_full(kind):
        return (SnapshotEnded(at=said.at, epoch=said.epoch, kind=kind),)
    reason = "a row of it could not be read"
    return (SnapshotEnded(at=said.at, epoch=said.epoch, kind=kind, complete=False, reason=reason),)


CALLBACKS: Final[Mapping[str, Callable[[Spoken], tuple[Report, ...]]]] = MappingProxyType(
    {
        "orderStatus": _order_status,
        "openOrder": _open_order,
        "openOrderEnd": _list_end(SnapshotKind.OPEN_ORDERS),
        "completedOrder": _completed_order,
        "completedOrdersEnd": _list_end(SnapshotKind.COMPLETED_ORDERS),
        "execDetails": _execution,
        "execDetailsEnd": _list_end_by_id(SnapshotKind.EXECUTIONS),
        "commissionAndFeesReport": _commission,
        "commissionReport": _commission,
        "error": error,
        "nextValidId": _next_valid_id,
        "managedAccounts": inbound_account.managed_accounts,
        "orderBound": _order_bound,
        "position": inbound_account.position,
        "positionEnd": _list_end(SnapshotKind.POSITIONS),
        "accountSummary": inbound_account.account_summary,
        "accountSummaryEnd": _list_end_by_id(SnapshotKind.ACCOUNT),
        "updateAccountValue": inbound_account.update_account_value,
        "accountDownloadEnd": _list_end(SnapshotKind.ACCOUNT),
        "contractDetails": qualifying.offered,
        "bondContractDetails": qualifying.offered,
        "contractDetailsEnd": qualifying.all_offered,
        "marketRule": qualifying.rule_told,
        "tickPrice": inbound_market.tick_price,
        "tickSize": inbound_market.tick_size,
        "tickGeneric": inbound_market.tick_generic,
        "rerouteMktDataReq": inbound_market.reroute,
        "currentTime": inbound_market.current_time,
        "currentTimeInMillis": inbound_market.current_time_in_millis,
    }
)
"""Every callback that says something an execution layer needs.

Left out on purpose: ``updatePortfolio``, whose rows lag the fills that ``position`` already shows (IBKR), and the ticks
that are neither best prices nor the halt flag (``tickString``, ``tickReqParams``, ``marketDataType``).
"""
