"""Tables of the order messages: placeOrder, openOrder, completedOrder."""

import attrs

from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.text.conditions import CONDITIONS
from ibapi_bridge.gateway_simulator.text.layout import (
    Fields,
    Item,
    Out,
    RefusedField,
    block,
    maybe,
    repeat,
    tag_string,
    tags,
    when,
)
from ibapi_bridge.gateway_simulator.text.values import KINDS

PEG_BENCH = frozenset({"PEG BENCH", "PEGBENCH"})
PEG_BEST = frozenset({"PEG BEST", "PEGBEST"})
PEG_MID = frozenset({"PEG MID", "PEGMID"})


def _is_bag(message: Message) -> bool:
    return bool(message.contract.secType == "BAG")


def _scales(message: Message) -> bool:
    return bool(message.order.HasField("scalePriceIncrement") and message.order.scalePriceIncrement > 0)


def _sends_mid_offsets(message: Message) -> bool:
    order = message.order
    if order.orderType in PEG_BEST:
        return bool(order.competeAgainstBestOffset == float("inf"))
    return order.orderType in PEG_MID


class LegPrices:
    """The counted prices of combo legs, which live in the legs themselves."""

    def present(self, version: int) -> bool:
        """The list exists at every version."""
        return True

    def read(self, fields: Fields, message: Message, version: int) -> None:
        """Reads the prices into the legs; more prices than legs are dropped."""
        legs = message.contract.comboLegs
        for index in range(fields.count()):
            price = KINDS["n"].read(fields.take())
            if price is not None and index < len(legs):
                legs[index].perLegPrice = price

    def write(self, out: Out, message: Message, version: int) -> None:
        """Appends the prices when any leg has one."""
        legs = message.contract.comboLegs
        priced = any(leg.HasField("perLegPrice") for leg in legs)
        out.append(str(len(legs) if priced else 0))
        if priced:
            out.extend(repr(leg.perLegPrice) if leg.HasField("perLegPrice") else "" for leg in legs)


@attrs.frozen
class Retired:
    """An order attribute that gateways no longer take; old clients still send it, 9.81 even sets it by default."""

    code: int
    name: str
    absent: str

    def present(self, version: int) -> bool:
        """The field exists at every version."""
        return True

    def read(self, fields: Fields, message: Message, version: int) -> None:
        """Refuses the order when the attribute is set.

        Raises:
            RefusedField: it is.
        """
        value = fields.take()
        if value not in {"", "0"} and KINDS["n"].read(value):
            text = f"The '{self.name}' order attribute is not supported."
            raise RefusedField(self.code, text, message_id=message.orderId)

    def write(self, out: Out, message: Message, version: int) -> None:
        """Appends what today's clients send."""
        out.append(self.absent)


COMBO_LEG = "conId:i ratio:i action:s exchange:s openClose:i shortSalesSlot:i designatedLocation:s exemptCode:i"
DELTA_NEUTRAL = maybe("contract.deltaNeutralContract", "conId:i delta:d price:d")
SCALE = when(
    _scales,
    """scalePriceAdjustValue:n scalePriceAdjustInterval:u scaleProfitOffset:n scaleAutoReset:b
    scaleInitPosition:u scaleInitFillQty:u scaleRandomPercent:b""",
    prefix="order.",
)
HEDGE = when(lambda message: bool(message.order.hedgeType), "order.hedgeParam:s")
ALGO = when(lambda message: bool(message.order.algoStrategy), tags("order.algoParams"))
BENCHMARK = when(
    lambda message: message.order.orderType in PEG_BENCH,
    """referenceContractId:i isPeggedChangeAmountDecrease:b peggedChangeAmount:d referenceChangeAmount:d
    referenceExchangeId:s""",
    prefix="order.",
)


def _order(*parts: str | Item) -> Item:
    return block(*parts, prefix="order.")


PLACE_ORDER = block(
    "orderId:i",
    block(
        """conId:i symbol:s secType:s lastTradeDateOrContractMonth:s strike:d right:s multiplier:r exchange:s
        primaryExch:s currency:s localSymbol:s tradingClass:s secIdType:s secId:s""",
        prefix="contract.",
    ),
    _order(
        """action:s totalQuantity:q orderType:s lmtPrice:n auxPrice:n tif:s ocaGroup:s account:s openClose:s
        origin:i orderRef:s transmit:b parentId:i blockOrder:b sweepToFill:b displaySize:i triggerMethod:i
        outsideRth:b hidden:b"""
    ),
    when(_is_bag, repeat("contract.comboLegs", COMBO_LEG), LegPrices(), tags("order.smartComboRoutingParams")),
    _order(
        """= discretionaryAmt:d goodAfterTime:s goodTillDate:s faGroup:s faMethod:s faPercentage:s =<177
        modelCode:s shortSaleSlot:i designatedLocation:s exemptCode:i ocaType:i rule80A:s settlingFirm:s
        allOrNone:b minQty:u percentOffset:n""",
        Retired(10268, "EtradeOnly", "0"),
        Retired(10269, "firmQuoteOnly", "0"),
        Retired(10270, "nbboPriceCap", ""),
        """=0 startingPrice:n stockRefPrice:n delta:n
        stockRangeLower:n stockRangeUpper:n overridePercentageConstraints:b volatility:n volatilityType:u
        deltaNeutralOrderType:s deltaNeutralAuxPrice:n""",
    ),
    when(
        lambda message: bool(message.order.deltaNeutralOrderType),
        """deltaNeutralConId:i deltaNeutralSettlingFirm:s deltaNeutralClearingAccount:s
        deltaNeutralClearingIntent:s deltaNeutralOpenClose:s deltaNeutralShortSale:b
        deltaNeutralShortSaleSlot:i deltaNeutralDesignatedLocation:s""",
        prefix="order.",
    ),
    _order(
        """continuousUpdate:b referencePriceType:u trailStopPrice:n trailingPercent:n scaleInitLevelSize:u
        scaleSubsLevelSize:u scalePriceIncrement:n"""
    ),
    SCALE,
    _order("scaleTable:s activeStartTime:s activeStopTime:s hedgeType:s"),
    HEDGE,
    _order("optOutSmartRouting:b clearingAccount:s clearingIntent:s notHeld:b"),
    DELTA_NEUTRAL,
    _order("algoStrategy:s"),
    ALGO,
    _order("algoId:s whatIf:b", tag_string("order.orderMiscOptions"), "solicited:b randomizeSize:b randomizePrice:b"),
    BENCHMARK,
    CONDITIONS,
    _order(
        """adjustedOrderType:s triggerPrice:n lmtPriceOffset:n adjustedStopPrice:n adjustedStopLimitPrice:n
        adjustedTrailingAmount:n adjustableTrailingUnit:i extOperator:s softDollarTier.name:s
        softDollarTier.value:s cashQty:n mifid2DecisionMaker:s mifid2DecisionAlgo:s mifid2ExecutionTrader:s
        mifid2ExecutionAlgo:s dontUseAutoPriceForHedge:b isOmsContainer:b discretionaryUpToLimitPrice:b
        usePriceMgmtAlgo:u duration:u@158 postToAts:u@160 autoCancelParent:b@162 advancedErrorOverride:s@166
        manualOrderTime:s@169"""
    ),
    when(lambda message: message.contract.exchange == "IBKRATS", "order.minTradeQty:u", since=170),
    when(
        lambda message: message.order.orderType in PEG_BEST,
        "order.minCompeteSize:u order.competeAgainstBestOffset:n",
        since=170,
    ),
    when(_sends_mid_offsets, "order.midOffsetAtWhole:n order.midOffsetAtHalf:n", since=170),
    _order(
        """customerAccount:s@183 professionalCustomer:b@184 =@187<190 =2147483647@187<190 includeOvernight:b@189
        manualOrderIndicator:u@192 imbalanceOnly:b@199"""
    ),
)

ECHOED_CONTRACT = block(
    """conId:i symbol:s secType:s lastTradeDateOrContractMonth:s strike:d right:s multiplier:r exchange:s
    currency:s localSymbol:s tradingClass:s""",
    prefix="contract.",
)
COMBO = block(
    "contract.comboLegsDescrip:s",
    repeat("contract.comboLegs", COMBO_LEG),
    LegPrices(),
    tags("order.smartComboRoutingParams"),
)
VOLATILITY_END = "order.continuousUpdate:b order.referencePriceType:i"
PREVIEW = block(
    """status:s initMarginBefore:m maintMarginBefore:m equityWithLoanBefore:m initMarginChange:m
    maintMarginChange:m equityWithLoanChange:m initMarginAfter:m maintMarginAfter:m equityWithLoanAfter:m
    commissionAndFees:n minCommissionAndFees:n maxCommissionAndFees:n commissionAndFeesCurrency:s
    marginCurrency:s@195 initMarginBeforeOutsideRTH:n@195 maintMarginBeforeOutsideRTH:n@195
    equityWithLoanBeforeOutsideRTH:n@195 initMarginChangeOutsideRTH:n@195 maintMarginChangeOutsideRTH:n@195
    equityWithLoanChangeOutsideRTH:n@195 initMarginAfterOutsideRTH:n@195 maintMarginAfterOutsideRTH:n@195
    equityWithLoanAfterOutsideRTH:n@195 suggestedSize:q@195 rejectReason:s@195""",
    repeat(
        "orderState.orderAllocations",
        """account:s position:q positionDesired:q positionAfter:q desiredAllocQty:q allowedAllocQty:q
        isMonetary:b""",
        since=195,
    ),
    "warningText:s",
    prefix="orderState.",
)

OPEN_ORDER = block(
    "orderId:i",
    ECHOED_CONTRACT,
    _order(
        """action:s totalQuantity:q orderType:s lmtPrice:n auxPrice:n tif:s ocaGroup:s account:s openClose:s
        origin:i orderRef:s clientId:i permId:i outsideRth:b hidden:b discretionaryAmt:d goodAfterTime:s =
        faGroup:s faMethod:s faPercentage:s =<177 modelCode:s goodTillDate:s rule80A:s percentOffset:n
        settlingFirm:s shortSaleSlot:i designatedLocation:s exemptCode:i =0 startingPrice:n stockRefPrice:n
        delta:n stockRangeLower:n stockRangeUpper:n displaySize:u blockOrder:b sweepToFill:b allOrNone:b
        minQty:u ocaType:i =0 =0 = parentId:i triggerMethod:i volatility:n volatilityType:i
        deltaNeutralOrderType:s deltaNeutralAuxPrice:n"""
    ),
    when(
        lambda message: bool(message.order.deltaNeutralOrderType),
        """deltaNeutralConId:i deltaNeutralSettlingFirm:s deltaNeutralClearingAccount:s
        deltaNeutralClearingIntent:s deltaNeutralOpenClose:s deltaNeutralShortSale:b
        deltaNeutralShortSaleSlot:i deltaNeutralDesignatedLocation:s""",
        prefix="order.",
    ),
    VOLATILITY_END,
    _order("trailStopPrice:n trailingPercent:n = ="),
    COMBO,
    _order("scaleInitLevelSize:u scaleSubsLevelSize:u scalePriceIncrement:n"),
    SCALE,
    _order("hedgeType:s"),
    HEDGE,
    _order("optOutSmartRouting:b clearingAccount:s clearingIntent:s notHeld:b"),
    DELTA_NEUTRAL,
    _order("algoStrategy:s"),
    ALGO,
    _order("solicited:b whatIf:b"),
    PREVIEW,
    _order("randomizeSize:b randomizePrice:b"),
    BENCHMARK,
    CONDITIONS,
    _order(
        """adjustedOrderType:s triggerPrice:m trailStopPrice:m lmtPriceOffset:m adjustedStopPrice:m
        adjustedStopLimitPrice:m adjustedTrailingAmount:m adjustableTrailingUnit:i softDollarTier.name:s
        softDollarTier.value:s softDollarTier.displayName:s cashQty:m dontUseAutoPriceForHedge:b
        isOmsContainer:b discretionaryUpToLimitPrice:b usePriceMgmtAlgo:i duration:u@158 postToAts:u@160
        autoCancelParent:b@162 minTradeQty:u@170 minCompeteSize:u@170 competeAgainstBestOffset:n@170
        midOffsetAtWhole:n@170 midOffsetAtHalf:n@170 customerAccount:s@183 professionalCustomer:b@184
        bondAccruedInterest:s@185 includeOvernight:b@189 extOperator:s@193 manualOrderIndicator:u@193
        submitter:s@198 imbalanceOnly:b@199"""
    ),
)

COMPLETED_ORDER = block(
    ECHOED_CONTRACT,
    _order(
        """action:s totalQuantity:q orderType:s lmtPrice:n auxPrice:n tif:s ocaGroup:s account:s openClose:s
        origin:i orderRef:s permId:i outsideRth:b hidden:b discretionaryAmt:d goodAfterTime:s faGroup:s
        faMethod:s faPercentage:s =<177 modelCode:s goodTillDate:s rule80A:s percentOffset:n settlingFirm:s
        shortSaleSlot:i designatedLocation:s exemptCode:i startingPrice:n stockRefPrice:n delta:n
        stockRangeLower:n stockRangeUpper:n displaySize:u sweepToFill:b allOrNone:b minQty:u ocaType:i
        triggerMethod:i volatility:n volatilityType:i deltaNeutralOrderType:s deltaNeutralAuxPrice:n"""
    ),
    when(
        lambda message: bool(message.order.deltaNeutralOrderType),
        """deltaNeutralConId:i deltaNeutralShortSale:b deltaNeutralShortSaleSlot:i
        deltaNeutralDesignatedLocation:s""",
        prefix="order.",
    ),
    VOLATILITY_END,
    _order("trailStopPrice:n trailingPercent:n"),
    COMBO,
    _order("scaleInitLevelSize:u scaleSubsLevelSize:u scalePriceIncrement:n"),
    SCALE,
    _order("hedgeType:s"),
    HEDGE,
    _order("clearingAccount:s clearingIntent:s notHeld:b"),
    DELTA_NEUTRAL,
    _order("algoStrategy:s"),
    ALGO,
    "order.solicited:b orderState.status:s order.randomizeSize:b order.randomizePrice:b",
    BENCHMARK,
    CONDITIONS,
    _order(
        """trailStopPrice:m lmtPriceOffset:m cashQty:m dontUseAutoPriceForHedge:b isOmsContainer:b
        autoCancelDate:s filledQuantity:q refFuturesConId:i autoCancelParent:b shareholder:s imbalanceOnly:b
        routeMarketableToBbo:i parentPermId:i"""
    ),
    "orderState.completedTime:s orderState.completedStatus:s",
    _order(
        """minTradeQty:u@170 minCompeteSize:u@170 competeAgainstBestOffset:n@170 midOffsetAtWhole:n@170
        midOffsetAtHalf:n@170 customerAccount:s@183 professionalCustomer:b@184 submitter:s@198"""
    ),
)
