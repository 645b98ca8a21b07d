"""The transport alone: how connections begin and end."""

import socket
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from actors.link import SendError
from ibapi_bridge.framing import framed
from ibapi_bridge.transport import ConnectionEnded, Transport, TransportSettings

pytestmark = pytest.mark.socket


def transport(port: int, **settings: float) -> Transport:
    return Transport(TransportSettings(host="127.0.0.1", port=port, **settings), elapsed=time.monotonic)  # type: ignore[arg-type]


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port whose queue of connections is full: the system answers nothing to another one."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    waiting = [socket.socket() for _ in range(3)]
    for one in waiting:
        one.settimeout(0)
        one.connect_ex(listener.getsockname())
    yield listener.getsockname()[1]
    for one in [listener, *waiting]:
        one.close()


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux leaves a full queue unanswered")


@linux_only
def test_an_address_that_never_answers_is_given_up_at_the_deadline(deaf_port: int) -> None:
    asked = transport(deaf_port, connect_seconds=0.2)
    with pytest.raises(ConnectionEnded, match=r"no answer in 0.2 s"):
        asked.connect()
    asked.shut()


@linux_only
def test_an_attempt_to_connect_can_be_ended_from_another_thread(deaf_port: int) -> None:
    asked = transport(deaf_port, connect_seconds=30)
    ended: list[str] = []

    def connect() -> None:
        try:
            asked.connect()
        except ConnectionEnded as end:
            ended.append(str(end))
        asked.shut()

    connecting = threading.Thread(target=connect)
    connecting.start()
    asked.close()
    connecting.join(2)
    assert ended == ["closed by us"]


def test_a_host_that_does_not_exist_is_named() -> None:
    settings = TransportSettings(host="no such host", port=4002)
    asked = Transport(settings, elapsed=time.monotonic)
    with pytest.raises(ConnectionEnded, match="cannot connect to no such host:4002"):
        asked.connect()
    asked.shut()


def test_a_transport_closed_before_it_connects_never_connects() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        asked = transport(listener.getsockname()[1])
        asked.close("not wanted any more")
        with pytest.raises(ConnectionEnded, match="not wanted any more"):
            asked.connect()
        asked.shut()


def test_the_first_reason_to_close_counts_and_shutting_twice_is_harmless() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        asked = transport(listener.getsockname()[1])
        asked.connect()
        accepted, _ = listener.accept()
        asked.close("first")
        asked.close("second")
        with pytest.raises(ConnectionEnded, match="first"):
            asked.receive(None)
        with pytest.raises(SendError):
            asked.send(b"late")
        accepted.close()
        asked.shut()
        asked.shut()


def test_taking_what_is_there_waits_for_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        asked = transport(listener.getsockname()[1])
        asked.connect()
        accepted, _ = listener.accept()
        assert list(asked.receive(None, patience=0.0)) == []
        accepted.sendall(framed(b"one"))
        assert list(asked.receive(None)) == [b"one"]
        assert list(asked.receive(None, patience=0.0)) == []
        accepted.close()
        asked.shut()


def test_waiting_costs_no_time_of_the_processor() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        asked = transport(listener.getsockname()[1])
        asked.connect()
        accepted, _ = listener.accept()
        begun = time.thread_time()
        with pytest.raises(ConnectionEnded, match="in time"):
            asked.receive(time.monotonic() + 0.5)
        assert time.thread_time() - begun < 0.05
        accepted.close()
        asked.shut()


def test_once_everything_has_left_waiting_waits_again() -> None:
    """The system would call a socket that nobody writes to ready to be written, again and again."""
    size = 16 << 20
    with socket.create_server(("127.0.0.1", 0)) as listener:
        asked = transport(listener.getsockname()[1])
        asked.connect()
        accepted, _ = listener.accept()
        asked.send(bytes(size))
        reader = threading.Thread(target=accepted.recv, args=(size, socket.MSG_WAITALL))
        reader.start()
        while reader.is_alive():
            assert list(asked.receive(None, patience=0.01)) == []
        assert list(asked.receive(None, patience=0.01)) == []  # the wake-up of what could not leave at once
        begun = time.monotonic()
        assert list(asked.receive(None, patience=0.2)) == []
        assert time.monotonic() - begun > 0.15
        accepted.close()
        asked.shut()
