"""One link after another: which port each of them tries."""

import time
from datetime import UTC, datetime

import pytest

from actors.domain.identity import Epoch
from actors.messages.reports import AccountsReported, ConnectionLost
from ibapi_bridge.assembly import link_factory
from ibapi_bridge.settings import LinkSettings
from tests.ibapi_bridge.scripted_gateway import READY, Heard, ScriptedGateway, protobuf

pytestmark = pytest.mark.socket


class RealTime:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def elapsed(self) -> float:
        return time.monotonic()


def moves_to(port: int) -> bytes:
    """The notice as IBKR words it, with a dash that is no sign."""
    text = f"Socket port has been reset and this connection is being dropped. Please reconnect on the new port -{port}."
    return protobuf(4, "ErrorMessage", id=-1, errorCode=1300, errorMsg=text)


def test_a_gateway_that_moves_is_found_at_its_new_port_and_back_at_the_old_one() -> None:
    with ScriptedGateway() as old, ScriptedGateway() as new:
        make = link_factory(LinkSettings(port=old.port), clock=RealTime())
        heard = Heard()
        make(Epoch(1), heard).start()
        old.begin()
        old.send(READY + moves_to(new.port))
        old.hang_up()
        assert "1300" in heard.next(ConnectionLost).reason

        make(Epoch(2), heard).start()
        new.begin()
        new.send(READY)
        heard.next(AccountsReported)
        new.hang_up()
        heard.next(ConnectionLost)

        make(Epoch(3), heard).start()
        new.begin()
        new.hang_up()
        heard.next(ConnectionLost)

        back = make(Epoch(4), heard)
        back.start()
        old.begin()
        back.close()


def test_a_gateway_that_was_never_there_is_told_from_one_that_refuses() -> None:
    heard = Heard()
    with ScriptedGateway() as gateway:
        make = link_factory(LinkSettings(port=gateway.port), clock=RealTime())
        make(Epoch(1), heard).start()
        gateway.begin()
        gateway.send(protobuf(4, "ErrorMessage", id=-1, errorCode=326, errorMsg="client id in use"))
        gateway.hang_up()
        assert heard.next(ConnectionLost).reached
    make(Epoch(2), heard).start()
    assert not heard.next(ConnectionLost).reached
