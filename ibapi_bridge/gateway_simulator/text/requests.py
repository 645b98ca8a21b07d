"""Tables of everything a client may send, except orders."""

from collections.abc import Mapping

from ibapi.message import OUT

from ibapi_bridge.gateway_simulator.catalogue import CANCEL_FUNDAMENTAL_DATA, REQ_FUNDAMENTAL_DATA
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.text.layout import (
    Block,
    Fields,
    Item,
    Out,
    block,
    maybe,
    repeat,
    tag_string,
    values,
    when,
)
from ibapi_bridge.gateway_simulator.text.orders import PLACE_ORDER

CONTRACT = block(
    """conId:i symbol:s secType:s lastTradeDateOrContractMonth:s strike:d right:s multiplier:r exchange:s
    primaryExch:s currency:s localSymbol:s tradingClass:s""",
    prefix="contract.",
)
REQUEST_ID = block("=1 reqId:i")
BARE_ID = block("reqId:i")
VERSION_ONLY = block("=1")
NOTHING = block()


class Ignored:
    """All the fields that are left: those of a request that is refused whatever they say."""

    def present(self, version: int) -> bool:
        """Requests of every version have them."""
        return True

    def read(self, fields: Fields, message: Message, version: int) -> None:
        """Skips them."""
        for _ in range(fields.left()):
            fields.take()

    def write(self, out: Out, message: Message, version: int) -> None:
        """Writes nothing."""


def _is_bag(message: Message) -> bool:
    return bool(message.contract.secType == "BAG")


def _with_id(version: str, words: str) -> Block:
    return block(f"{version} reqId:i {words}")


def _legs() -> Item:
    return when(_is_bag, repeat("contract.comboLegs", "conId:i ratio:i action:s exchange:s"))


def _contract_request(head: str, *tail: str | Item) -> Block:
    return block(head, CONTRACT, *tail)


REQUESTS: Mapping[int, Block] = {
    OUT.PLACE_ORDER: PLACE_ORDER,
    OUT.CANCEL_ORDER: block(
        """=1<192 orderId:i orderCancel.manualOrderCancelTime:s@169 =@187<190 =@187<190 =2147483647@187<190
        orderCancel.extOperator:s@192 orderCancel.manualOrderIndicator:u@192"""
    ),
    OUT.REQ_GLOBAL_CANCEL: block("=1<192 orderCancel.extOperator:s@192 orderCancel.manualOrderIndicator:u@192"),
    OUT.START_API: block("=2 clientId:i optionalCapabilities:s"),
    OUT.REQ_MKT_DATA: _contract_request(
        "=11 reqId:i",
        _legs(),
        maybe("contract.deltaNeutralContract", "conId:i delta:d price:d"),
        "genericTickList:s snapshot:b regulatorySnapshot:b",
        tag_string("marketDataOptions"),
    ),
    OUT.CANCEL_MKT_DATA: _with_id("=2", ""),
    OUT.REQ_MARKET_DATA_TYPE: block("=1 marketDataType:i"),
    OUT.REQ_SMART_COMPONENTS: block("reqId:i bboExchange:s"),
    OUT.REQ_MARKET_RULE: block("marketRuleId:i"),
    OUT.REQ_TICK_BY_TICK_DATA: _contract_request("reqId:i", "tickType:s numberOfTicks:i ignoreSize:b"),
    OUT.CANCEL_TICK_BY_TICK_DATA: BARE_ID,
    OUT.REQ_OPEN_ORDERS: VERSION_ONLY,
    OUT.REQ_AUTO_OPEN_ORDERS: block("=1 autoBind:b"),
    OUT.REQ_ALL_OPEN_ORDERS: VERSION_ONLY,
    OUT.REQ_IDS: block("=1 numIds:i"),
    OUT.REQ_ACCT_DATA: block("=2 subscribe:b acctCode:s"),
    OUT.REQ_ACCOUNT_SUMMARY: block("=1 reqId:i group:s tags:s"),
    OUT.CANCEL_ACCOUNT_SUMMARY: REQUEST_ID,
    OUT.REQ_POSITIONS: VERSION_ONLY,
    OUT.CANCEL_POSITIONS: VERSION_ONLY,
    OUT.REQ_POSITIONS_MULTI: block("=1 reqId:i account:s modelCode:s"),
    OUT.CANCEL_POSITIONS_MULTI: REQUEST_ID,
    OUT.REQ_ACCOUNT_UPDATES_MULTI: block("=1 reqId:i account:s modelCode:s ledgerAndNLV:b"),
    OUT.CANCEL_ACCOUNT_UPDATES_MULTI: REQUEST_ID,
    OUT.REQ_PNL: block("reqId:i account:s modelCode:s"),
    OUT.CANCEL_PNL: BARE_ID,
    OUT.REQ_PNL_SINGLE: block("reqId:i account:s modelCode:s conId:i"),
    OUT.CANCEL_PNL_SINGLE: BARE_ID,
    OUT.REQ_EXECUTIONS: block(
        "=3 reqId:i",
        block("clientId:i acctCode:s time:s symbol:s secType:s exchange:s side:s", prefix="executionFilter."),
        "executionFilter.lastNDays:u@200",
        values("executionFilter.specificDates", "i", since=200),
    ),
    OUT.REQ_CONTRACT_DATA: _contract_request(
        "=8 reqId:i",
        "contract.includeExpired:b contract.secIdType:s contract.secId:s contract.issuerId:s@176",
    ),
    OUT.REQ_MKT_DEPTH_EXCHANGES: NOTHING,
    OUT.REQ_MKT_DEPTH: _contract_request("=5 reqId:i", "numRows:i isSmartDepth:b", tag_string("marketDepthOptions")),
    OUT.CANCEL_MKT_DEPTH: block("=1 reqId:i isSmartDepth:b"),
    OUT.REQ_HISTORICAL_DATA: _contract_request(
        "reqId:i",
        """contract.includeExpired:b endDateTime:s barSizeSetting:s duration:s useRTH:b whatToShow:s
        formatDate:i""",
        _legs(),
        "keepUpToDate:b",
        tag_string("chartOptions"),
    ),
    OUT.CANCEL_HISTORICAL_DATA: REQUEST_ID,
    OUT.REQ_HEAD_TIMESTAMP: _contract_request(
        "reqId:i", "contract.includeExpired:b useRTH:b whatToShow:s formatDate:i"
    ),
    OUT.CANCEL_HEAD_TIMESTAMP: BARE_ID,
    OUT.REQ_HISTOGRAM_DATA: _contract_request("reqId:i", "contract.includeExpired:b useRTH:b timePeriod:s"),
    OUT.CANCEL_HISTOGRAM_DATA: BARE_ID,
    OUT.REQ_HISTORICAL_TICKS: _contract_request(
        "reqId:i",
        """contract.includeExpired:b startDateTime:s endDateTime:s numberOfTicks:i whatToShow:s useRTH:b
        ignoreSize:b""",
        tag_string("miscOptions"),
    ),
    OUT.REQ_REAL_TIME_BARS: _contract_request(
        "=3 reqId:i", "barSize:i whatToShow:s useRTH:b", tag_string("realTimeBarsOptions")
    ),
    OUT.CANCEL_REAL_TIME_BARS: REQUEST_ID,
    OUT.REQ_SEC_DEF_OPT_PARAMS: block(
        "reqId:i underlyingSymbol:s futFopExchange:s underlyingSecType:s underlyingConId:i"
    ),
    OUT.REQ_SOFT_DOLLAR_TIERS: BARE_ID,
    OUT.REQ_FAMILY_CODES: NOTHING,
    OUT.REQ_MATCHING_SYMBOLS: block("reqId:i pattern:s"),
    OUT.REQ_COMPLETED_ORDERS: block("apiOnly:b"),
    OUT.REQ_USER_INFO: BARE_ID,
    OUT.REQ_CURRENT_TIME: VERSION_ONLY,
    OUT.REQ_CURRENT_TIME_IN_MILLIS: NOTHING,
    OUT.REQ_MANAGED_ACCTS: VERSION_ONLY,
    OUT.SET_SERVER_LOGLEVEL: block("=1 logLevel:i"),
    OUT.VERIFY_REQUEST: block("=1 apiName:s apiVersion:s"),
    OUT.VERIFY_MESSAGE: block("=1 apiData:s"),
    OUT.REQ_NEWS_PROVIDERS: NOTHING,
    OUT.REQ_NEWS_BULLETINS: block("=1 allMessages:b"),
    OUT.CANCEL_NEWS_BULLETINS: VERSION_ONLY,
    OUT.QUERY_DISPLAY_GROUPS: REQUEST_ID,
    OUT.SUBSCRIBE_TO_GROUP_EVENTS: block("=1 reqId:i groupId:i"),
    OUT.UPDATE_DISPLAY_GROUP: block("=1 reqId:i contractInfo:s"),
    OUT.UNSUBSCRIBE_FROM_GROUP_EVENTS: REQUEST_ID,
    OUT.REQ_CALC_IMPLIED_VOLAT: _contract_request(
        "=3 reqId:i", "optionPrice:d underPrice:d", tag_string("impliedVolatilityOptions")
    ),
    OUT.REQ_CALC_OPTION_PRICE: _contract_request(
        "=3 reqId:i", "volatility:d underPrice:d", tag_string("optionPriceOptions")
    ),
    OUT.CANCEL_CALC_IMPLIED_VOLAT: REQUEST_ID,
    OUT.CANCEL_CALC_OPTION_PRICE: REQUEST_ID,
    OUT.EXERCISE_OPTIONS: block(
        "=2 orderId:i",
        block(
            """conId:i symbol:s secType:s lastTradeDateOrContractMonth:s strike:d right:s multiplier:r exchange:s
            currency:s localSymbol:s tradingClass:s""",
            prefix="contract.",
        ),
        """exerciseAction:i exerciseQuantity:i account:s override:b manualOrderTime:s@180 customerAccount:s@183
        professionalCustomer:b@184""",
    ),
    OUT.REQ_SCANNER_PARAMETERS: VERSION_ONLY,
    OUT.REQ_SCANNER_SUBSCRIPTION: block(
        "reqId:i",
        block(
            """numberOfRows:i instrument:s locationCode:s scanCode:s abovePrice:n belowPrice:n aboveVolume:u
            marketCapAbove:n marketCapBelow:n moodyRatingAbove:s moodyRatingBelow:s spRatingAbove:s spRatingBelow:s
            maturityDateAbove:s maturityDateBelow:s couponRateAbove:n couponRateBelow:n excludeConvertible:b
            averageOptionVolumeAbove:u scannerSettingPairs:s stockTypeFilter:s""",
            tag_string("scannerSubscription.scannerSubscriptionFilterOptions"),
            tag_string("scannerSubscription.scannerSubscriptionOptions"),
            prefix="scannerSubscription.",
        ),
    ),
    OUT.CANCEL_SCANNER_SUBSCRIPTION: REQUEST_ID,
    OUT.REQ_FA: block("=1 faDataType:i"),
    OUT.REPLACE_FA: block("=1 faDataType:i xml:s reqId:i"),
    OUT.REQ_NEWS_ARTICLE: block("reqId:i providerCode:s articleId:s", tag_string("newsArticleOptions")),
    OUT.REQ_HISTORICAL_NEWS: block(
        "reqId:i conId:i providerCodes:s startDateTime:s endDateTime:s totalResults:i",
        tag_string("historicalNewsOptions"),
    ),
    OUT.REQ_WSH_META_DATA: BARE_ID,
    OUT.CANCEL_WSH_META_DATA: BARE_ID,
    OUT.REQ_WSH_EVENT_DATA: block("reqId:i", Ignored()),
    OUT.CANCEL_WSH_EVENT_DATA: BARE_ID,
    OUT.VERIFY_AND_AUTH_REQUEST: block("=1", Ignored()),
    OUT.VERIFY_AND_AUTH_MESSAGE: block("=1", Ignored()),
    REQ_FUNDAMENTAL_DATA: block("=2 reqId:i", Ignored()),
    CANCEL_FUNDAMENTAL_DATA: REQUEST_ID,
}
