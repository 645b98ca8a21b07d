"""Display groups: the seven coloured window groups, none of which shows a contract here."""

from ibapi.message import IN

from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.requests.refusals import Refused, answering
from ibapi_bridge.gateway_simulator.session import Session
from ibapi_bridge.gateway_simulator.streams import Stream

GROUPS = range(1, 8)
NO_CONTRACT = "none"
INVALID_GROUP = "Error validating request.-'bZ' : cause - "


def query(_gateway: Gateway, session: Session, message: Message) -> None:
    """The numbers of the groups."""
    session.send(IN.DISPLAY_GROUP_LIST, reqId=message.reqId, groups="|".join(str(group) for group in GROUPS))


@answering
def subscribe(gateway: Gateway, session: Session, message: Message) -> None:
    """The group's contract, which is none; an unknown group and a second subscription are error 321."""
    if message.groupId not in GROUPS:
        raise Refused(321, f"{INVALID_GROUP}Invalid group id {message.groupId}")
    if gateway.streams.is_open(session, "group", message.reqId):
        raise Refused(321, f"{INVALID_GROUP}Request id {message.reqId} is subscribed already")
    gateway.streams.start("group", message.reqId, Stream(session=session, con_id=-1, act=lambda _quote: None))
    session.send(IN.DISPLAY_GROUP_UPDATED, reqId=message.reqId, contractInfo=NO_CONTRACT)


@answering
def update(gateway: Gateway, session: Session, message: Message) -> None:
    """Takes the wish to show another contract without an answer; an unknown id is error 321."""
    if not gateway.streams.is_open(session, "group", message.reqId):
        raise Refused(321, f"{INVALID_GROUP}Request id {message.reqId} is not subscribed")


@answering
def unsubscribe(gateway: Gateway, session: Session, message: Message) -> None:
    """Ends a subscription; an unknown id is error 321."""
    if not gateway.streams.stop(session, "group", message.reqId):
        raise Refused(321, f"{INVALID_GROUP}Request id {message.reqId} is not subscribed")
