"""Requests about positions and accounts."""

from ibapi.message import IN

from ibapi_bridge.gateway_simulator.account_feed import REFRESH, account_rows
from ibapi_bridge.gateway_simulator.catalogue import REPLIES
from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.exchange.types import Quote
from ibapi_bridge.gateway_simulator.order_messages import plain
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.session import Session
from ibapi_bridge.gateway_simulator.streams import Stream


def positions(gateway: Gateway, session: Session, _message: Message) -> None:
    """All holdings now, changes from here on."""
    session.positions = True
    gateway.accounts.send_positions(session)


def cancel_positions(_gateway: Gateway, session: Session, _message: Message) -> None:
    """No more position changes."""
    session.positions = False


def summary(gateway: Gateway, session: Session, message: Message) -> None:
    """Summary rows now and every three minutes; at most two subscriptions (322), no groups of accounts (321)."""
    if message.group not in {"", "All", *gateway.config.accounts}:
        text = f"Error validating request.-'bS' : cause - Account group '{message.group}' is not known"
        session.error(message.reqId, 321, text, gateway.now)
        return
    if not gateway.accounts.subscribe_summary(session, message.reqId, message.tags):
        text = "Error processing request.-'bS' : cause - Maximum number of account summary requests exceeded"
        session.error(message.reqId, 322, text, gateway.now)


def cancel_summary(gateway: Gateway, session: Session, message: Message) -> None:
    """Ends a summary."""
    gateway.accounts.cancel_summary(session, message.reqId)


def updates(gateway: Gateway, session: Session, message: Message) -> None:
    """Starts or stops account updates for one account; an unknown account is refused (321)."""
    if not message.subscribe:
        session.account_updates = None
        return
    account = message.acctCode or gateway.config.accounts[0]
    if account not in gateway.config.accounts:
        text = f"Error validating request.-'bT' : cause - The account code '{account}' is invalid"
        session.error(-1, 321, text, gateway.now)
        return
    session.account_updates = account
    gateway.accounts.send_account(session, account)


def _account_problem(gateway: Gateway, session: Session, message: Message) -> bool:
    if message.account in {"", "All"} or message.account in gateway.config.accounts:
        return False
    text = f"Error validating request.-'bT' : cause - The account code '{message.account}' is invalid"
    session.error(message.reqId, 321, text, gateway.now)
    return True


def _accounts(gateway: Gateway, message: Message) -> tuple[str, ...]:
    return (message.account,) if message.account in gateway.config.accounts else gateway.config.accounts


def positions_multi(gateway: Gateway, session: Session, message: Message) -> None:
    """The holdings of one account or all, then the end marker; pushes changes until cancelled."""
    if _account_problem(gateway, session, message):
        return
    wanted = _accounts(gateway, message)
    sent: dict[tuple[str, int], str] = {}

    def act(_quote: Quote | None) -> None:
        for account in wanted:
            for position in gateway.exchange.positions(account):
                quantity = plain(position.quantity)
                if sent.get((account, position.con_id)) != quantity:
                    sent[account, position.con_id] = quantity
                    row = REPLIES[IN.POSITION_MULTI].message(
                        reqId=message.reqId,
                        account=account,
                        position=quantity,
                        avgCost=float(position.average_cost),
                        modelCode=message.modelCode,
                    )
                    row.contract.CopyFrom(gateway.contract_of(position.con_id))
                    session.post(IN.POSITION_MULTI, row)

    act(None)
    session.send(IN.POSITION_MULTI_END, reqId=message.reqId)
    gateway.streams.start("positions", message.reqId, Stream(session=session, con_id=None, act=act))


def cancel_positions_multi(gateway: Gateway, session: Session, message: Message) -> None:
    """Ends the changes."""
    gateway.streams.stop(session, "positions", message.reqId)


def updates_multi(gateway: Gateway, session: Session, message: Message) -> None:
    """The values of one account or all, then the end marker; sends what changed every three minutes."""
    if _account_problem(gateway, session, message):
        return
    wanted = _accounts(gateway, message)
    sent: dict[tuple[str, str, str], str] = {}
    due = [gateway.now]

    def act(_quote: Quote | None) -> None:
        if gateway.now < due[0]:
            return
        due[0] = gateway.now + REFRESH
        for account in wanted:
            for key, value, currency in account_rows(gateway.exchange.account_values(account)):
                if sent.get((account, key, currency)) != value:
                    sent[account, key, currency] = value
                    session.send(
                        IN.ACCOUNT_UPDATE_MULTI,
                        reqId=message.reqId,
                        account=account,
                        modelCode=message.modelCode,
                        key=key,
                        value=value,
                        currency=currency,
                    )

    act(None)
    session.send(IN.ACCOUNT_UPDATE_MULTI_END, reqId=message.reqId)
    gateway.streams.start("updates", message.reqId, Stream(session=session, con_id=None, act=act))


def cancel_updates_multi(gateway: Gateway, session: Session, message: Message) -> None:
    """Ends the changes."""
    gateway.streams.stop(session, "updates", message.reqId)


def pnl(gateway: Gateway, session: Session, message: Message) -> None:
    """Profit and loss of an account, now and once a second of market time while it changes."""
    account = message.account or gateway.config.accounts[0]
    if account not in gateway.config.accounts:
        _account_problem(gateway, session, message)
        return
    last: list[tuple[object, ...]] = []

    def act(_quote: Quote | None) -> None:
        values = gateway.exchange.account_values(account)
        row = (values.daily_pnl, values.unrealized_pnl, values.realized_pnl)
        if last != [row]:
            last[:] = [row]
            session.send(
                IN.PNL,
                reqId=message.reqId,
                dailyPnL=float(values.daily_pnl),
                unrealizedPnL=float(values.unrealized_pnl),
                realizedPnL=float(values.realized_pnl),
            )

    act(None)
    gateway.streams.start("pnl", message.reqId, Stream(session=session, con_id=None, act=act))


def cancel_pnl(gateway: Gateway, session: Session, message: Message) -> None:
    """Ends the updates; an unknown id is error 10185."""
    _cancel_pnl(gateway, session, message, "pnl")


def _cancel_pnl(gateway: Gateway, session: Session, message: Message, kind: str) -> None:
    if not gateway.streams.stop(session, kind, message.reqId):
        session.error(message.reqId, 10185, "Failed to cancel PNL (not subscribed)", gateway.now)


def pnl_single(gateway: Gateway, session: Session, message: Message) -> None:
    """Profit and loss of one holding, now and once a second of market time while it changes."""
    account = message.account or gateway.config.accounts[0]
    if account not in gateway.config.accounts:
        _account_problem(gateway, session, message)
        return
    last: list[object] = []

    def act(_quote: Quote | None) -> None:
        held = next((p for p in gateway.exchange.positions(account) if p.con_id == message.conId), None)
        if last == [held]:
            return
        last[:] = [held]
        session.send(
            IN.PNL_SINGLE,
            reqId=message.reqId,
            position="0" if held is None else plain(held.quantity),
            dailyPnL=0.0 if held is None else float(held.daily_pnl),
            unrealizedPnL=0.0 if held is None else float(held.unrealized_pnl),
            realizedPnL=0.0 if held is None else float(held.realized_pnl),
            value=0.0 if held is None else float(held.market_value),
        )

    act(None)
    gateway.streams.start("pnlsingle", message.reqId, Stream(session=session, con_id=None, act=act))


def cancel_pnl_single(gateway: Gateway, session: Session, message: Message) -> None:
    """Ends the updates; an unknown id is error 10185."""
    _cancel_pnl(gateway, session, message, "pnlsingle")
