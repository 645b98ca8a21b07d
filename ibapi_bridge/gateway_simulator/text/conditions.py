"""The conditions of an order as text: a count, each condition by its type, then two flags."""

from collections.abc import Mapping

from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.text.layout import Block, FieldError, Fields, Out, block, written

PRICE, TIME, MARGIN, EXECUTION, VOLUME, PERCENT_CHANGE = 1, 3, 4, 5, 6, 7

_BODIES: Mapping[int, Block] = {
    PRICE: block("isMore:b price:d conId:i exchange:s triggerMethod:i"),
    TIME: block("isMore:b time:s"),
    MARGIN: block("isMore:b percent:w"),
    EXECUTION: block("secType:s exchange:s symbol:s"),
    VOLUME: block("isMore:b volume:i conId:i exchange:s"),
    PERCENT_CHANGE: block("isMore:b changePercent:d conId:i exchange:s"),
}
_FLAGS = block("order.conditionsIgnoreRth:b order.conditionsCancelOrder:b")


class Conditions:
    """The whole list with its flags, which follow only when there is a condition."""

    def present(self, version: int) -> bool:
        """The list exists at every version."""
        return True

    def read(self, fields: Fields, message: Message, version: int) -> None:
        """Reads the list.

        Raises:
            FieldError: an unknown type of condition.
        """
        count = fields.count()
        for _ in range(count):
            kind = fields.take()
            if not kind.isdigit() or int(kind) not in _BODIES:
                raise FieldError(f"{kind[:20]!r} is not a type of condition")
            condition = message.order.conditions.add(type=int(kind))
            condition.isConjunctionConnection = fields.take() == "a"
            _BODIES[int(kind)].read(fields, condition, version)
        if count:
            _FLAGS.read(fields, message, version)

    def write(self, out: Out, message: Message, version: int) -> None:
        """Appends the list."""
        conditions = message.order.conditions
        out.append(str(len(conditions)))
        for condition in conditions:
            out += [str(condition.type), "a" if condition.isConjunctionConnection else "o"]
            out += written(_BODIES[condition.type], condition, version)
        if len(conditions):
            _FLAGS.write(out, message, version)


CONDITIONS = Conditions()
