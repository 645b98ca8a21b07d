"""Requests about positions and accounts."""

from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.session import Session


def positions(gateway: Gateway, session: Session, _message: Message) -> None:
    """All holdings now, changes from here on."""
    session.positions = True
    gateway.accounts.send_positions(session)


def cancel_positions(_gateway: Gateway, session: Session, _message: Message) -> None:
    """No more position changes."""
    session.positions = False


def summary(gateway: Gateway, session: Session, message: Message) -> None:
    """Summary rows now and every three minutes; at most two subscriptions (322)."""
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
