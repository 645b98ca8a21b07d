"""Tables of everything the gateway sends."""

from collections.abc import Mapping

from ibapi.message import IN

from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.text.layout import Block, Fields, Out, block, repeat, tags, values, when
from ibapi_bridge.gateway_simulator.text.orders import COMPLETED_ORDER, OPEN_ORDER

ROUTED_CONTRACT = block(
    """conId:i symbol:s secType:s lastTradeDateOrContractMonth:s strike:d right:s multiplier:r exchange:s
    currency:s localSymbol:s tradingClass:s""",
    prefix="contract.",
)
DEPTH = "marketDepthData."
REQUEST_END = block("=1 reqId:i")
BAR = "date:s open:d high:d low:d close:d volume:q WAP:q barCount:i"


class BarRange:
    """First and last date of historical bars, sent in the bars' own message before version 196."""

    def present(self, version: int) -> bool:
        """Later versions have an end message of their own."""
        return version < 196

    def read(self, fields: Fields, message: Message, version: int) -> None:
        """Skips both dates."""
        fields.take()
        fields.take()

    def write(self, out: Out, message: Message, version: int) -> None:
        """Appends both dates, empty without bars."""
        bars = message.historicalDataBars
        out += [bars[0].date, bars[-1].date] if len(bars) else ["", ""]


CONTRACT_DATA = block(
    "=8<164 reqId:i",
    block(
        """symbol:s secType:s lastTradeDateOrContractMonth:s lastTradeDate:s@182 strike:d right:s exchange:s
        currency:s localSymbol:s""",
        prefix="contract.",
    ),
    """contractDetails.marketName:s contract.tradingClass:s contract.conId:i contractDetails.minTick:q =1<164
    contract.multiplier:r""",
    block("orderTypes:s validExchanges:s priceMagnifier:i underConId:i longName:x", prefix="contractDetails."),
    "contract.primaryExch:s",
    block(
        """contractMonth:s industry:s category:s subcategory:s timeZoneId:s tradingHours:s liquidHours:s
        evRule:s evMultiplier:w""",
        tags("contractDetails.secIdList"),
        """aggGroup:i underSymbol:s underSecType:s marketRuleIds:s realExpirationDate:s stockType:s =1@163<164
        minSize:q@164 sizeIncrement:q@164 suggestedSizeIncrement:q@164""",
        prefix="contractDetails.",
    ),
    repeat("contractDetails.ineligibilityReasonList", "id:s description:s", since=186),
)

REPLIES: Mapping[int, Block] = {
    IN.TICK_PRICE: block("=6 reqId:i tickType:i price:d size:q attrMask:i"),
    IN.TICK_SIZE: block("=6 reqId:i tickType:i size:q"),
    IN.TICK_STRING: block("=6 reqId:i tickType:i value:s"),
    IN.TICK_GENERIC: block("=6 reqId:i tickType:i value:d"),
    IN.TICK_SNAPSHOT_END: REQUEST_END,
    IN.TICK_REQ_PARAMS: block("reqId:i minTick:q bboExchange:s snapshotPermissions:i"),
    IN.TICK_OPTION_COMPUTATION: block(
        """reqId:i tickType:i tickAttrib:i impliedVol:d delta:d optPrice:d pvDividend:d gamma:d vega:d theta:d
        undPrice:d"""
    ),
    IN.MARKET_DATA_TYPE: block("=1 reqId:i marketDataType:i"),
    IN.ORDER_STATUS: block(
        """orderId:i status:s filled:q remaining:q avgFillPrice:d permId:i parentId:i lastFillPrice:d clientId:i
        whyHeld:s mktCapPrice:d"""
    ),
    IN.ERR_MSG: block("=2<194 id:i errorCode:i errorMsg:x advancedOrderRejectJson:x@166 errorTime:i@194"),
    IN.OPEN_ORDER: OPEN_ORDER,
    IN.OPEN_ORDER_END: block("=1"),
    IN.COMPLETED_ORDER: COMPLETED_ORDER,
    IN.COMPLETED_ORDERS_END: block(),
    IN.ORDER_BOUND: block("permId:i clientId:i orderId:i"),
    IN.NEXT_VALID_ID: block("=1 orderId:i"),
    IN.MANAGED_ACCTS: block("=1 accountsList:s"),
    IN.ACCT_VALUE: block("=2 key:s value:s currency:s accountName:s"),
    IN.PORTFOLIO_VALUE: block(
        "=8",
        block(
            """conId:i symbol:s secType:s lastTradeDateOrContractMonth:s strike:d right:s multiplier:r
            primaryExch:s currency:s localSymbol:s tradingClass:s""",
            prefix="contract.",
        ),
        """position:q marketPrice:d marketValue:d averageCost:d unrealizedPNL:d realizedPNL:d
        accountName:s""",
    ),
    IN.ACCT_UPDATE_TIME: block("=1 timeStamp:s"),
    IN.ACCT_DOWNLOAD_END: block("=1 accountName:s"),
    IN.CONTRACT_DATA: CONTRACT_DATA,
    IN.CONTRACT_DATA_END: REQUEST_END,
    IN.EXECUTION_DATA: block(
        "reqId:i execution.orderId:i",
        ROUTED_CONTRACT,
        block(
            """execId:s time:s acctNumber:s exchange:s side:s shares:q price:d permId:i clientId:i
            isLiquidation:b cumQty:q avgPrice:d orderRef:s evRule:s evMultiplier:d modelCode:s lastLiquidity:i
            isPriceRevisionPending:b@178 submitter:s@198""",
            prefix="execution.",
        ),
    ),
    IN.EXECUTION_DATA_END: REQUEST_END,
    IN.COMMISSION_AND_FEES_REPORT: block(
        "=1 execId:s commissionAndFees:m currency:s realizedPNL:m bondYield:m yieldRedemptionDate:s"
    ),
    IN.POSITION_DATA: block("=3 account:s", ROUTED_CONTRACT, "position:q avgCost:d"),
    IN.POSITION_END: block("=1"),
    IN.POSITION_MULTI: block("=1 reqId:i account:s", ROUTED_CONTRACT, "position:q avgCost:d modelCode:s"),
    IN.POSITION_MULTI_END: REQUEST_END,
    IN.ACCOUNT_SUMMARY: block("=1 reqId:i account:s tag:s value:s currency:s"),
    IN.ACCOUNT_SUMMARY_END: REQUEST_END,
    IN.ACCOUNT_UPDATE_MULTI: block("=1 reqId:i account:s modelCode:s key:s value:s currency:s"),
    IN.ACCOUNT_UPDATE_MULTI_END: REQUEST_END,
    IN.PNL: block("reqId:i dailyPnL:m unrealizedPnL:m realizedPnL:m"),
    IN.PNL_SINGLE: block("reqId:i position:q dailyPnL:m unrealizedPnL:m realizedPnL:m value:m"),
    IN.CURRENT_TIME: block("=1 currentTime:i"),
    IN.CURRENT_TIME_IN_MILLIS: block("currentTimeInMillis:i"),
    IN.MARKET_RULE: block("marketRuleId:i", repeat("priceIncrements", "lowEdge:d increment:d")),
    IN.SECURITY_DEFINITION_OPTION_PARAMETER: block(
        "reqId:i exchange:s underlyingConId:i tradingClass:s multiplier:s",
        values("expirations", "s"),
        values("strikes", "d"),
    ),
    IN.SECURITY_DEFINITION_OPTION_PARAMETER_END: block("reqId:i"),
    IN.SOFT_DOLLAR_TIERS: block("reqId:i", repeat("softDollarTiers", "name:s value:s displayName:s")),
    IN.FAMILY_CODES: block(repeat("familyCodes", "accountId:s familyCode:s")),
    IN.SYMBOL_SAMPLES: block(
        "reqId:i",
        repeat(
            "contractDescriptions",
            "contract.conId:i contract.symbol:s contract.secType:s contract.primaryExch:s contract.currency:s",
            values("derivativeSecTypes", "s"),
            "contract.description:s@176 contract.issuerId:s@176",
        ),
    ),
    IN.SMART_COMPONENTS: block("reqId:i", repeat("smartComponents", "bitNumber:i exchange:s exchangeLetter:s")),
    IN.MKT_DEPTH_EXCHANGES: block(
        repeat("depthMarketDataDescriptions", "exchange:s secType:s listingExch:s serviceDataType:s aggGroup:i")
    ),
    IN.NEWS_PROVIDERS: block(repeat("newsProviders", "providerCode:s providerName:s")),
    IN.HISTOGRAM_DATA: block("reqId:i", repeat("histogramDataEntries", "price:d size:q")),
    IN.DISPLAY_GROUP_LIST: block("=1 reqId:i groups:s"),
    IN.DISPLAY_GROUP_UPDATED: block("=1 reqId:i contractInfo:s"),
    IN.SCANNER_PARAMETERS: block("=1 xml:s"),
    IN.SCANNER_DATA: block(
        "=3 reqId:i",
        repeat(
            "scannerDataElement",
            "rank:i",
            block(
                "conId:i symbol:s secType:s lastTradeDateOrContractMonth:s strike:d right:s exchange:s currency:s",
                "localSymbol:s",
                prefix="contract.",
            ),
            "marketName:s contract.tradingClass:s distance:s benchmark:s projection:s comboKey:s",
        ),
    ),
    IN.MARKET_DEPTH: block("=1 reqId:i", block("position:i operation:i side:i price:d size:q", prefix=DEPTH)),
    IN.MARKET_DEPTH_L2: block(
        "=1 reqId:i",
        block("position:i marketMaker:s operation:i side:i price:d size:q isSmartDepth:b", prefix=DEPTH),
    ),
    IN.HEAD_TIMESTAMP: block("reqId:i headTimestamp:s"),
    IN.USER_INFO: block("reqId:i whiteBrandingId:s"),
    IN.HISTORICAL_DATA: block("reqId:i", BarRange(), repeat("historicalDataBars", BAR)),
    IN.HISTORICAL_DATA_END: block("reqId:i startDateStr:s endDateStr:s"),
    IN.HISTORICAL_DATA_UPDATE: block(
        "reqId:i",
        block("barCount:i date:s open:d close:d high:d low:d WAP:q volume:q", prefix="historicalDataBar."),
    ),
    IN.REAL_TIME_BARS: block("=3 reqId:i time:i open:d high:d low:d close:d volume:q WAP:q count:i"),
    IN.HISTORICAL_TICKS: block("reqId:i", repeat("historicalTicks", "time:i = price:d size:q"), "isDone:b"),
    IN.HISTORICAL_TICKS_BID_ASK: block(
        "reqId:i",
        repeat("historicalTicksBidAsk", "time:i =0 priceBid:d priceAsk:d sizeBid:q sizeAsk:q"),
        "isDone:b",
    ),
    IN.HISTORICAL_TICKS_LAST: block(
        "reqId:i",
        repeat("historicalTicksLast", "time:i =0 price:d size:q exchange:s specialConditions:s"),
        "isDone:b",
    ),
    IN.TICK_BY_TICK: block(
        "reqId:i tickType:i",
        when(
            lambda message: message.tickType in {1, 2},
            "time:i price:d size:q =0 exchange:s specialConditions:s",
            prefix="historicalTickLast.",
        ),
        when(
            lambda message: message.tickType == 3,
            "time:i priceBid:d priceAsk:d sizeBid:q sizeAsk:q =0",
            prefix="historicalTickBidAsk.",
        ),
        when(lambda message: message.tickType == 4, "time:i price:d", prefix="historicalTickMidPoint."),
    ),
    IN.HISTORICAL_SCHEDULE: block(
        "reqId:i startDateTime:s endDateTime:s timeZone:s",
        repeat("historicalSessions", "startDateTime:s endDateTime:s refDate:s"),
    ),
}
