"""Contracts of a capture made whole: what one line leaves out, another one often tells."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import attrs

from actors.domain.contract import Contract, SecType
from ibapi_bridge.figures import integer, read
from ibapi_bridge.inbound_terms import contract_of
from ibapi_bridge.transcript import Line

_ABOUT_ORDERS: Final = ("openOrder", "execDetails")
_MONTH_DIGITS: Final = len("202606")
_UNTOLD: Final = Decimal(1)
"""The multiplier of a contract that names none."""


class KnownContracts:
    """Every contract that a capture names."""

    def __init__(self, lines: Iterable[Line]) -> None:
        naming = [line for line in lines if line.args.get("contract") is not None]
        named = [contract_of(line.args["contract"]) for line in naming]
        named.sort(key=lambda contract: contract.multiplier != _UNTOLD)
        self._answers = _answers(naming)
        self._by_id = {contract.con_id: contract for contract in named if contract.con_id and contract.symbol}
        self._by_symbol: dict[str, set[Contract]] = {}
        for contract in named:
            if contract.symbol:
                self._by_symbol.setdefault(contract.symbol, set()).add(contract)
        self._whole: dict[Contract, Contract] = {}

    def whole(self, contract: Contract) -> Contract:
        """The contract with its id, kind, currency and multiplier where the capture leaves no choice.

        A contract without a kind is a stock, one without a currency is in USD, if nothing else is told.
        """
        found = self._whole.get(contract)
        if found is None:
            found = self._whole[contract] = self._made_whole(contract)
        return found

    def _made_whole(self, contract: Contract) -> Contract:
        if contract.con_id:
            known = self._by_id.get(contract.con_id, contract)
            return _multiplied(contract, {known}) if contract.symbol else known
        if not contract.symbol:
            return contract
        similar = {known for known in self._by_symbol.get(contract.symbol, ()) if _may_be(known, contract)}
        answers = self._answers.get(contract, set())
        for candidates in (similar, answers):
            ids = {known.con_id for known in candidates} - {0}
            if len(ids) == 1:
                return self._by_id[ids.pop()]
        kind = SecType.STOCK if contract.sec_type is SecType.OTHER else contract.sec_type
        whole = attrs.evolve(contract, sec_type=kind, currency=contract.currency or "USD")
        return _multiplied(whole, {known for known in similar | answers if known.sec_type is kind})


def _answers(lines: Iterable[Line]) -> dict[Contract, set[Contract]]:
    """What the broker called the contracts of orders: a future asked for by month is told by its last day (IBKR)."""
    placed: dict[int, Contract] = {}
    answers: dict[Contract, set[Contract]] = {}
    for line in lines:
        order_id = integer(line.args.get("orderId", read(line.args.get("execution"), "orderId")))
        contract = contract_of(line.args["contract"])
        if line.name == "placeOrder":
            placed[order_id] = contract
        elif line.name in _ABOUT_ORDERS and order_id in placed:
            asked = placed[order_id]
            if asked.symbol == contract.symbol and _may_be(contract, _without_month(asked)):
                answers.setdefault(asked, set()).add(contract)
    return answers


def _without_month(contract: Contract) -> Contract:
    return attrs.evolve(contract, expiry="") if len(contract.expiry) == _MONTH_DIGITS else contract


def _may_be(known: Contract, partial: Contract) -> bool:
    """Whether nothing that the partial contract says contradicts the known one."""
    pairs = (
        (partial.currency, known.currency),
        (partial.expiry, known.expiry),
        (partial.strike, known.strike),
        (partial.right, known.right),
        (partial.local_symbol, known.local_symbol),
    )
    same_kind = partial.sec_type in (SecType.OTHER, known.sec_type)
    return same_kind and all(not said or not there or said == there for said, there in pairs)


def _multiplied(contract: Contract, similar: Iterable[Contract]) -> Contract:
    """The contract with the multiplier that others name and it does not."""
    told = {known.multiplier for known in similar} - {_UNTOLD}
    if contract.multiplier != _UNTOLD or len(told) != 1:
        return contract
    return attrs.evolve(contract, multiplier=told.pop())
