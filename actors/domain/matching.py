"""Whether two descriptions mean the same contract: one as a user spelled it, one as the broker did."""

import re
from typing import Final

from actors.domain.contract import Contract

_MONTHS: Final = "FGHJKMNQUVXZ"
"""Letters of the contract months January to December, as exchanges write them."""
_CODED: Final = re.compile(rf".+([{_MONTHS}])(\d{{1,2}})", re.ASCII)


def is_same(wanted: Contract, found: Contract) -> bool:
    """Whether a contract, as far as it was named, is the one found; a con_id on both sides decides alone."""
    if wanted is found:
        return True
    if wanted.con_id and found.con_id:
        return wanted.con_id == found.con_id
    return (
        _is_symbol(wanted, found)
        and wanted.sec_type == found.sec_type
        and wanted.currency == found.currency
        and _expires(wanted.expiry, found)
        and wanted.strike in (None, found.strike)
        and wanted.right[:1].upper() in ("", found.right[:1].upper())
        and _is_variety(wanted, found)
    )


def _is_symbol(wanted: Contract, found: Contract) -> bool:
    """A local symbol needs no other name beside it."""
    return wanted.symbol == found.symbol or (not wanted.symbol and bool(wanted.local_symbol))


def _is_variety(wanted: Contract, found: Contract) -> bool:
    """What tells contracts of one symbol and expiry apart; what one side leaves out tells nothing."""
    return (
        _agree(wanted.trading_class, found.trading_class)
        and _agree(wanted.local_symbol, found.local_symbol)
        and (wanted.multiplier == found.multiplier or 1 in (wanted.multiplier, found.multiplier))
    )


def _agree(wanted: str, found: str) -> bool:
    return not wanted or not found or wanted.split() == found.split()


def _expires(wanted: str, found: Contract) -> bool:
    """A month is the contract's, not that of its last trading day: oil for January ends in December (IBKR)."""
    coded = _CODED.fullmatch(found.local_symbol.partition(" ")[0]) if len(wanted) == 6 else None
    if coded is None:
        return found.expiry.startswith(wanted)
    month, year = coded.groups()
    return int(wanted[4:]) == _MONTHS.index(month) + 1 and wanted[:4].endswith(year)
