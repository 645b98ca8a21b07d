"""Contracts of a capture made whole: what one line leaves out, another one often tells."""

from collections.abc import Iterable

import attrs

from actors.domain.contract import Contract, SecType
from ibapi_bridge.inbound_terms import contract_of
from ibapi_bridge.transcript import Line


class KnownContracts:
    """Every contract that a capture names."""

    def __init__(self, lines: Iterable[Line]) -> None:
        named = [contract_of(line.args["contract"]) for line in lines if line.args.get("contract") is not None]
        self._by_id = {contract.con_id: contract for contract in named if contract.con_id and contract.symbol}
        self._by_symbol: dict[str, set[Contract]] = {}
        for contract in named:
            if contract.symbol:
                self._by_symbol.setdefault(contract.symbol, set()).add(contract)
        self._whole: dict[Contract, Contract] = {}

    def whole(self, contract: Contract) -> Contract:
        """The contract with its id, kind and currency where the capture leaves no choice.

        A contract without a kind is a stock, one without a currency is in USD, if nothing else is told.
        """
        found = self._whole.get(contract)
        if found is None:
            found = self._whole[contract] = self._made_whole(contract)
        return found

    def _made_whole(self, contract: Contract) -> Contract:
        if contract.con_id:
            known = self._by_id.get(contract.con_id)
            return known if known is not None and not contract.symbol else contract
        if not contract.symbol:
            return contract
        told = {known.con_id: known for known in self._by_symbol.get(contract.symbol, ()) if _may_be(known, contract)}
        told.pop(0, None)
        if len(told) == 1:
            return next(iter(told.values()))
        kind = SecType.STOCK if contract.sec_type is SecType.OTHER else contract.sec_type
        return attrs.evolve(contract, sec_type=kind, currency=contract.currency or "USD")


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
