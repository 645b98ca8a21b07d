"""Commissions of fills."""

from __future__ import annotations

from decimal import Decimal

from ibapi_bridge.gateway_simulator.exchange.config import CommissionSchedule
from ibapi_bridge.gateway_simulator.exchange.types import ZERO, Instrument

CENT_FRACTION = Decimal("0.000001")


def order_commission(
    schedule: CommissionSchedule, instrument: Instrument, quantity: Decimal, value: Decimal
) -> Decimal:
    """What an order costs in all once `quantity` of it, worth `value`, is filled.

    A fill's own commission is the difference of this before and after it, so a minimum is charged once an order.
    """
    if not quantity:
        return ZERO
    size = abs(value)
    if instrument.sec_type in {"STK", "CFD"}:
        cost = max(quantity * schedule.per_share, schedule.share_minimum)
        return min(cost, size * schedule.share_cap).quantize(CENT_FRACTION)
    if instrument.sec_type == "OPT":
        return max(quantity * schedule.per_option, schedule.option_minimum)
    if instrument.sec_type == "CRYPTO":
        return max(size * schedule.crypto_rate, schedule.crypto_minimum).quantize(CENT_FRACTION)
    if instrument.sec_type == "CASH":
        return max(size * schedule.fx_rate, schedule.fx_minimum).quantize(CENT_FRACTION)
    return quantity * schedule.per_future
