"""Things that happen at once: links lost and restored, restarts, notices, cancels nobody asked for."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeAlias

from ibapi_bridge.gateway_simulator.errors import ConfigError
from ibapi_bridge.gateway_simulator.manual import change_manually, place_manual
from ibapi_bridge.gateway_simulator.session import Session

if TYPE_CHECKING:
    from ibapi_bridge.gateway_simulator.core import Gateway

Parameters: TypeAlias = dict[str, Any]
LOST = "Connectivity between IB and Trader Workstation has been lost."
RESTORED_LOST = (
    "Connectivity between IB and Trader Workstation has been restored - data lost. "
    "All data farms are connected: usfarm; ushmds; secdefil."
)
RESTORED_KEPT = (
    "Connectivity between IB and Trader Workstation has been restored - data maintained. "
    "All data farms are connected: usfarm; ushmds; secdefil."
)
NO_SERVER = "Connectivity between Trader Workstation and server is broken. It will be restored automatically."


def notice(gateway: "Gateway", *, code: int, text: str, client_id: int | None = None) -> None:
    """Sends an error callback with id -1 to every client, or to one."""
    for session in _sessions(gateway, client_id):
        session.error(-1, code, text, gateway.now)


def _sessions(gateway: "Gateway", client_id: int | None) -> list[Session]:
    return [session for session in gateway.sessions if client_id in {None, session.client_id}]


def disconnect(gateway: "Gateway", *, client_id: int | None = None, reset: bool = True) -> None:
    """Closes the sockets of every client, or of one; with a TCP reset unless told otherwise."""
    for session in _sessions(gateway, client_id):
        if reset:
            session.abort("fault: disconnect")
        else:
            session.close("fault: disconnect")


def lose_link(gateway: "Gateway", *, repeats: int = 1, lose_orders: bool = False, lose_reports: bool = False) -> None:
    """1100: the link to the broker's servers is down; orders and reports wait, or are lost if told so."""
    gateway.faults.lose_link(lose_orders=lose_orders, lose_reports=lose_reports)
    for _ in range(repeats):
        notice(gateway, code=1100, text=LOST)


def restore_link(gateway: "Gateway", *, data_lost: bool = False) -> None:
    """1102, or 1101 after which every data stream is gone; what waited is sent before it."""
    reports, orders = gateway.faults.restore_link()
    for session, number, message in reports:
        session.post(number, message)
    if data_lost:
        gateway.hub.drop_all()
        gateway.streams.drop_all()
    notice(gateway, code=1101 if data_lost else 1102, text=RESTORED_LOST if data_lost else RESTORED_KEPT)
    gateway.farm_notices(list(gateway.sessions), [2104, 2106])
    for session, request in orders:
        gateway.host.handle(session, request)


def farm_broken(gateway: "Gateway", *, code: int = 2103, farm: str = "usfarm") -> None:
    """2103, 2105 or 2157: a data farm is away."""
    texts = {
        2103: "Market data farm connection is broken",
        2105: "HMDS data farm connection is broken",
        2157: "Sec-def data farm connection is broken",
    }
    if code not in texts:
        raise ConfigError(f"code {code} must be 2103, 2105 or 2157")
    notice(gateway, code=code, text=f"{texts[code]}:{farm}")


def farm_restored(gateway: "Gateway", *, code: int = 2104) -> None:
    """2104, 2106 or 2158: a data farm is back."""
    if code not in {2104, 2106, 2158}:
        raise ConfigError(f"code {code} must be 2104, 2106 or 2158")
    gateway.farm_notices(list(gateway.sessions), [code])


def server_broken(gateway: "Gateway") -> None:
    """2110: the gateway itself has no server."""
    notice(gateway, code=2110, text=NO_SERVER)


def roll_back_ids(gateway: "Gateway", *, client_id: int, to: int) -> None:
    """The next order id of a client goes back, as after a restart that lost orders."""
    gateway.ids.roll_back(client_id, to)


def unsolicited_cancel(
    gateway: "Gateway", *, order_id: int, client_id: int = 1, reason: str = "", by: str = "system"
) -> None:
    """An order is cancelled by the broker, with a reason in its 202."""
    order = gateway.book.find(client_id, order_id)
    if order is None or not order.alive:
        raise ConfigError(f"order_id {order_id} of client {client_id} is not a live order")
    gateway.cancel_reasons[order.perm_id] = reason
    gateway.report(gateway.exchange.cancel(order.perm_id, by=by))


def manual_order(
    gateway: "Gateway",
    *,
    con_id: int,
    action: str = "BUY",
    quantity: str | float = "1",
    limit: str | float | None = None,
) -> None:
    """Somebody places an order by hand in the gateway's own window."""
    place_manual(gateway, con_id=con_id, action=action, quantity=str(quantity), limit=_text(limit))


def manual_change(
    gateway: "Gateway",
    *,
    order_id: int,
    client_id: int = 1,
    quantity: str | float | None = None,
    limit: str | float | None = None,
) -> None:
    """Somebody changes an order by hand in the gateway's own window; what is left out stays."""
    change_manually(gateway, (client_id, order_id), quantity=_text(quantity), limit=_text(limit))


def _text(number: str | float | None) -> str | None:
    return None if number is None else str(number)


def correct(
    gateway: "Gateway", *, exec_id: str, price: str | float | None = None, quantity: str | float | None = None
) -> None:
    """An execution is corrected to another price or quantity; quantity 0 busts it, which only positions show."""
    gateway.correct(exec_id, price=_number("price", price), quantity=_number("quantity", quantity))


def _number(name: str, text: str | float | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(str(text))
    except InvalidOperation:
        raise ConfigError(f"{name} {text!r} must be a number") from None


def restart(gateway: "Gateway", *, down_seconds: float = 1.0, roll_back: int = 0) -> None:
    """The gateway process restarts: sockets are reset, staged orders vanish, ids go back by `roll_back`."""
    gateway.forget_staged()
    gateway.ids.roll_back_all(roll_back)
    gateway.host.restart(down_seconds)


def wipe_disk(gateway: "Gateway", *, down_seconds: float = 1.0) -> None:
    """The gateway restarts on an empty disk: ids begin anew, and what ended or was filled before is no longer listed.

    Live orders and positions are the broker's and stay.
    """
    gateway.forget_the_past()
    gateway.host.restart(down_seconds)


def change_port(gateway: "Gateway", *, port: int = 0) -> None:
    """1300: the API port changes; clients are told the new one and closed."""
    new = gateway.host.move(port)
    text = f"TWS socket port has been reset and this connection is being dropped. Please reconnect on {new}"
    notice(gateway, code=1300, text=text)
    disconnect(gateway, reset=False)


def split_handshake(gateway: "Gateway", *, at: int = 6, seconds: float = 0.2) -> None:
    """The next handshake reply comes in two segments."""
    gateway.host.split_next_greeting(at, seconds)


def stall_handshake(gateway: "Gateway") -> None:
    """The next client is accepted and never answered."""
    gateway.host.split_next_greeting(0, float("inf"))


def stop_reading(gateway: "Gateway", *, client_id: int | None = None) -> None:
    """The gateway no longer reads what a client sends."""
    for session in _sessions(gateway, client_id):
        session.line.reading = False


def half_open(gateway: "Gateway", *, client_id: int | None = None) -> None:
    """The connection is there and dead in both directions."""
    for session in _sessions(gateway, client_id):
        session.line.reading = False
        session.line.limit, session.line.pause_seconds = 0, float("inf")


def cut_after_bytes(gateway: "Gateway", *, count: int, client_id: int | None = None) -> None:
    """The socket is reset after that many more bytes, in the middle of a frame if need be."""
    for session in _sessions(gateway, client_id):
        session.line.limit, session.line.abort = count, True


def corrupt_frame(gateway: "Gateway", *, client_id: int | None = None, n: int = 1) -> None:
    """The next frames' contents are damaged, their lengths are right."""
    _mangle(gateway, client_id, n, lambda frame: frame[:8] + bytes(byte ^ 0xFF for byte in frame[8:]))


def truncate_frame(gateway: "Gateway", *, client_id: int | None = None, n: int = 1) -> None:
    """The next frames lose their last half; their lengths say so."""

    def cut(frame: bytes) -> bytes:
        kept = frame[4 : 8 + (len(frame) - 8) // 2]
        return len(kept).to_bytes(4, "big") + kept

    _mangle(gateway, client_id, n, cut)


def oversize_frame(gateway: "Gateway", *, client_id: int | None = None) -> None:
    """The next frame announces more than the largest accepted length."""
    _mangle(gateway, client_id, 1, lambda frame: (0x01000000).to_bytes(4, "big") + frame[4:])


def _mangle(gateway: "Gateway", client_id: int | None, times: int, change: Callable[[bytes], bytes]) -> None:
    for session in _sessions(gateway, client_id):
        session.line.mangle, session.line.mangle_times = change, times


def burst(gateway: "Gateway", *, total: int = 4096, silence_seconds: float = 1.5, client_id: int | None = None) -> None:
    """What waits is padded with notices to exactly `total` bytes, sent at once, and followed by silence."""
    for session in _sessions(gateway, client_id):
        session.line.burst, session.line.burst_silence = total, silence_seconds


ACTIONS: Mapping[str, Callable[..., None]] = {
    action.__name__: action
    for action in (
        notice,
        disconnect,
        lose_link,
        restore_link,
        farm_broken,
        farm_restored,
        server_broken,
        roll_back_ids,
        unsolicited_cancel,
        manual_order,
        manual_change,
        correct,
        restart,
        wipe_disk,
        change_port,
        split_handshake,
        stall_handshake,
        stop_reading,
        half_open,
        cut_after_bytes,
        corrupt_frame,
        truncate_frame,
        oversize_frame,
        burst,
    )
}
