"""Which instrument a contract is: offers collected, the price grid asked for, ambiguity refused by name."""

from actors.domain.contract import Contract
from actors.messages.reports import InstrumentRefused, InstrumentReported, Report
from ibapi_bridge.conversation import Qualification
from ibapi_bridge.figures import integer, read
from ibapi_bridge.instruments import Candidate, Increments, candidate_of, describe, increments_of, with_increments
from ibapi_bridge.spoken import Spoken

_MOST_NAMED = 8
_MOST_KEPT = 2_000


def offered(said: Spoken) -> tuple[Report, ...]:
    """One row of contract details: kept until the end marker."""
    asked = said.context.asked.get(integer(said.args.get("reqId")))
    if isinstance(asked, Qualification) and len(asked.candidates) < _MOST_KEPT:
        details = said.args.get("contractDetails")
        contract = said.args.get("contract") or read(details, "contract")
        asked.candidates.append(candidate_of(contract, details))
    return ()


def all_offered(said: Spoken) -> tuple[Report, ...]:
    """The end of the rows: exactly one contract is an instrument, anything else is refused with the candidates."""
    request_id = integer(said.args.get("reqId"))
    asked = said.context.asked.get(request_id)
    if not isinstance(asked, Qualification):
        return ()
    said.context.asked.pop(request_id, None)
    chosen = _torn(asked.wanted) if asked.torn else choose(asked.wanted, asked.candidates)
    if isinstance(chosen, str):
        return (InstrumentRefused(at=said.at, epoch=said.epoch, wanted=asked.wanted, text=chosen),)
    asked.candidates = [chosen]
    if chosen.rule_id is None:
        return (_reported(said, asked),)
    _await_rule(said, asked, chosen.rule_id)
    return ()


def _torn(wanted: Contract) -> str:
    return f"a row of the broker's answer about {describe(wanted)} could not be read: it may be the one that is meant"


def _await_rule(said: Spoken, asked: Qualification, rule_id: int) -> None:
    said.context.awaiting_rule.setdefault(rule_id, []).append(asked)
    said.context.rules_to_ask.append(rule_id)


def rule_told(said: Spoken) -> tuple[Report, ...]:
    """A market rule: everything that waited for it is an instrument now."""
    increments = increments_of(said.args.get("priceIncrements"))
    waiting = said.context.awaiting_rule.pop(integer(said.args.get("marketRuleId")), [])
    return tuple(_reported(said, asked, increments) for asked in waiting)


def no_rule(said: Spoken) -> tuple[Report, ...]:
    """The broker has no such price grid (124, which names no request): the smallest tick is what is known.

    A price that does not fit is refused by the broker (110).
    """
    waiting = [asked for each in said.context.awaiting_rule.values() for asked in each]
    said.context.awaiting_rule.clear()
    return tuple(_reported(said, asked) for asked in waiting)


def choose(wanted: Contract, candidates: list[Candidate]) -> Candidate | str:
    """The one candidate that is meant, or the sentence that says why there is none."""
    if not candidates:
        return f"no contract is known for {describe(wanted)}"
    distinct = {candidate.instrument.contract.con_id: candidate for candidate in candidates}
    if len(distinct) == 1:
        return _in_its_own_currency(next(iter(distinct.values())))
    named = "; ".join(describe(candidate.instrument.contract) for candidate in list(distinct.values())[:_MOST_NAMED])
    more = f"; and {len(distinct) - _MOST_NAMED} more" if len(distinct) > _MOST_NAMED else ""
    return f"{describe(wanted)} is ambiguous, give a con_id or more of the contract. Candidates: {named}{more}"


def _in_its_own_currency(candidate: Candidate) -> Candidate | str:
    """Worth and risk are price times quantity: with prices in pence they would be a hundred times too much."""
    if candidate.price_magnifier == 1:
        return candidate
    contract = candidate.instrument.contract
    return (
        f"the prices of {describe(contract)} are told in 1/{candidate.price_magnifier} {contract.currency} "
        "(priceMagnifier): such contracts are not supported"
    )


def _reported(said: Spoken, asked: Qualification, increments: Increments = ()) -> InstrumentReported:
    instrument = asked.candidates[0].instrument
    if increments:
        instrument = with_increments(instrument, increments)
    return InstrumentReported(at=said.at, epoch=said.epoch, wanted=asked.wanted, instrument=instrument)
