"""Names of things: who an order, a fill, an account is."""

from functools import lru_cache
from typing import NewType

OmsId = NewType("OmsId", str)
"""Our name of an order; travels as IBKR's orderRef, at most 32 of ``[A-Za-z0-9_.-]``; the idempotency key."""

OrderId = NewType("OrderId", int)
"""The broker API's number of an order; unique only as (epoch, client id, order id)."""

PermId = NewType("PermId", int)
"""The broker's account-wide number of an order; 0 until it assigns one; several may stand behind one order."""

ExecId = NewType("ExecId", str)
"""The broker's name of one execution; the part after the last dot counts corrections."""

ClientId = NewType("ClientId", int)
Account = NewType("Account", str)

Epoch = NewType("Epoch", int)
"""Number of a connection; grows by one with each connect over the journal's whole life."""

RequestId = NewType("RequestId", int)


def execution_family(exec_id: str) -> str:
    """The execution id without its last dotted part: corrections of one execution share it.

    Source: IBKR, Execution class reference (a correction repeats the id but for the digits after the last dot).
    """
    family, dot, _ = exec_id.rpartition(".")
    return family if dot else exec_id


def correction_number(exec_id: str) -> int:
    """The digits after the last dot: 1 for the execution itself, more for its corrections; 0 if there are none."""
    suffix = exec_id.rpartition(".")[2]
    return int(suffix) if suffix.isascii() and suffix.isdigit() else 0


@lru_cache(maxsize=64)
def mask_account(account: str) -> str:
    """An account number fit for a log: the first two and the last two characters."""
    return account if len(account) <= 4 else f"{account[:2]}{'*' * (len(account) - 4)}{account[-2:]}"
