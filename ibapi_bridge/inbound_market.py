"""Ticks and the broker's clock."""

from actors.messages.reports import Report, ServerTimeReported
from ibapi_bridge.conversation import Reroute
from ibapi_bridge.figures import identity, integer
from ibapi_bridge.spoken import Spoken
from ibapi_bridge.times import from_epoch


def tick_price(said: Spoken) -> tuple[Report, ...]:
    """A price of a stream we follow."""
    fold, tick_type = said.quote_fold(), integer(said.args.get("tickType"))
    if fold is None:
        return ()
    size = said.args.get("size")
    return _maybe(fold.price(tick_type, said.args.get("price"), size, at=said.at, epoch=said.epoch))


def tick_size(said: Spoken) -> tuple[Report, ...]:
    """A size of a stream we follow."""
    fold, tick_type = said.quote_fold(), integer(said.args.get("tickType"))
    return () if fold is None else _maybe(fold.size(tick_type, said.args.get("size"), at=said.at, epoch=said.epoch))


def tick_generic(said: Spoken) -> tuple[Report, ...]:
    """A flag of a stream we follow."""
    fold, tick_type = said.quote_fold(), integer(said.args.get("tickType"))
    return () if fold is None else _maybe(fold.halt(tick_type, said.args.get("value"), at=said.at, epoch=said.epoch))


def reroute(said: Spoken) -> tuple[Report, ...]:
    """The broker has no quotes for this contract itself but for the one behind it: they are asked for (IBKR: CFDs)."""
    request_id, con_id = integer(said.args.get("reqId")), integer(said.args.get("conId"))
    fold = said.quote_fold()
    if fold is not None and con_id > 0:
        said.context.asked.pop(request_id, None)
        exchange = identity(said.args.get("exchange"))
        said.context.reroutes.append(Reroute(wanted=fold.contract, con_id=con_id, exchange=exchange))
    return ()


def _maybe(report: Report | None) -> tuple[Report, ...]:
    return () if report is None else (report,)


def current_time(said: Spoken) -> tuple[Report, ...]:
    """The clock in seconds."""
    return _server_time(said, integer(said.args.get("time")))


def current_time_in_millis(said: Spoken) -> tuple[Report, ...]:
    """The clock in milliseconds."""
    return _server_time(said, integer(said.args.get("timeInMillis")) / 1000)


def _server_time(said: Spoken, seconds: float) -> tuple[Report, ...]:
    server_time = from_epoch(seconds) if seconds > 0 else None
    return (ServerTimeReported(at=said.at, epoch=said.epoch, server_time=server_time),)
