"""Every message of the wire: its number, its protobuf class and from which server version it is protobuf.

The thresholds of requests are those of the official client; the thresholds of replies mirror the request
families, because a client accepts both codecs for every reply from server version 201 on.
"""

from collections.abc import Mapping

import attrs
from ibapi.message import IN, OUT

from ibapi_bridge.gateway_simulator.protos import MessageClass, message_class

PROTOBUF_BASE = 200
RAW_MESSAGE_ID_VERSION = 201
REQ_FUNDAMENTAL_DATA, CANCEL_FUNDAMENTAL_DATA = 52, 53


@attrs.frozen(kw_only=True)
class Kind:
    """One kind of message: number without the protobuf offset, wire name, class, first protobuf version."""

    number: int
    name: str
    message: MessageClass
    protobuf_from: int


def _kinds(numbers: type, rows: str) -> dict[int, Kind]:
    kinds = {}
    for row in rows.split("\n"):
        words = row.split()
        if words:
            constant, name, threshold, class_name = words
            number = int(getattr(numbers, constant))
            kinds[number] = Kind(
                number=number, name=name, message=message_class(class_name), protobuf_from=int(threshold)
            )
    return kinds


def _retired(rows: str) -> dict[int, Kind]:
    """Requests newer official clients no longer know; of their fields only the request id, the first, is read."""
    only_id = message_class("CancelHistoricalData")
    named = (row.split() for row in rows.split("\n") if row.strip())
    return {int(n): Kind(number=int(n), name=name, message=only_id, protobuf_from=210) for n, name in named}


REQUESTS: Mapping[int, Kind] = _kinds(
    OUT,
    """
    REQ_MKT_DATA reqMktData 206 MarketDataRequest
    CANCEL_MKT_DATA cancelMktData 206 CancelMarketData
    PLACE_ORDER placeOrder 203 PlaceOrderRequest
    CANCEL_ORDER cancelOrder 203 CancelOrderRequest
    REQ_OPEN_ORDERS reqOpenOrders 204 OpenOrdersRequest
    REQ_ACCT_DATA reqAccountUpdates 207 AccountDataRequest
    REQ_EXECUTIONS reqExecutions 201 ExecutionRequest
    REQ_IDS reqIds 213 IdsRequest
    REQ_CONTRACT_DATA reqContractDetails 205 ContractDataRequest
    REQ_MKT_DEPTH reqMktDepth 206 MarketDepthRequest
    CANCEL_MKT_DEPTH cancelMktDepth 206 CancelMarketDepth
    REQ_NEWS_BULLETINS reqNewsBulletins 209 NewsBulletinsRequest
    CANCEL_NEWS_BULLETINS cancelNewsBulletins 209 CancelNewsBulletins
    SET_SERVER_LOGLEVEL setServerLogLevel 213 SetServerLogLevelRequest
    REQ_AUTO_OPEN_ORDERS reqAutoOpenOrders 204 AutoOpenOrdersRequest
    REQ_ALL_OPEN_ORDERS reqAllOpenOrders 204 AllOpenOrdersRequest
    REQ_MANAGED_ACCTS reqManagedAccts 207 ManagedAccountsRequest
    REQ_FA requestFA 211 FARequest
    REPLACE_FA replaceFA 211 FAReplace
    REQ_HISTORICAL_DATA reqHistoricalData 208 HistoricalDataRequest
    EXERCISE_OPTIONS exerciseOptions 211 ExerciseOptionsRequest
    REQ_SCANNER_SUBSCRIPTION reqScannerSubscription 210 ScannerSubscriptionRequest
    CANCEL_SCANNER_SUBSCRIPTION cancelScannerSubscription 210 CancelScannerSubscription
    REQ_SCANNER_PARAMETERS reqScannerParameters 210 ScannerParametersRequest
    CANCEL_HISTORICAL_DATA cancelHistoricalData 208 CancelHistoricalData
    REQ_CURRENT_TIME reqCurrentTime 213 CurrentTimeRequest
    REQ_REAL_TIME_BARS reqRealTimeBars 208 RealTimeBarsRequest
    CANCEL_REAL_TIME_BARS cancelRealTimeBars 208 CancelRealTimeBars
    REQ_CALC_IMPLIED_VOLAT calculateImpliedVolatility 211 CalculateImpliedVolatilityRequest
    REQ_CALC_OPTION_PRICE calculateOptionPrice 211 CalculateOptionPriceRequest
    CANCEL_CALC_IMPLIED_VOLAT cancelCalculateImpliedVolatility 211 CancelCalculateImpliedVolatility
    CANCEL_CALC_OPTION_PRICE cancelCalculateOptionPrice 211 CancelCalculateOptionPrice
    REQ_GLOBAL_CANCEL reqGlobalCancel 203 GlobalCancelRequest
    REQ_MARKET_DATA_TYPE reqMarketDataType 206 MarketDataTypeRequest
    REQ_POSITIONS reqPositions 207 PositionsRequest
    REQ_ACCOUNT_SUMMARY reqAccountSummary 207 AccountSummaryRequest
    CANCEL_ACCOUNT_SUMMARY cancelAccountSummary 207 CancelAccountSummary
    CANCEL_POSITIONS cancelPositions 207 CancelPositions
    VERIFY_REQUEST verifyRequest 213 VerifyRequest
    VERIFY_MESSAGE verifyMessage 213 VerifyMessageRequest
    QUERY_DISPLAY_GROUPS queryDisplayGroups 213 QueryDisplayGroupsRequest
    SUBSCRIBE_TO_GROUP_EVENTS subscribeToGroupEvents 213 SubscribeToGroupEventsRequest
    UPDATE_DISPLAY_GROUP updateDisplayGroup 213 UpdateDisplayGroupRequest
    UNSUBSCRIBE_FROM_GROUP_EVENTS unsubscribeFromGroupEvents 213 UnsubscribeFromGroupEventsRequest
    START_API startApi 213 StartApiRequest
    REQ_POSITIONS_MULTI reqPositionsMulti 207 PositionsMultiRequest
    CANCEL_POSITIONS_MULTI cancelPositionsMulti 207 CancelPositionsMulti
    REQ_ACCOUNT_UPDATES_MULTI reqAccountUpdatesMulti 207 AccountUpdatesMultiRequest
    CANCEL_ACCOUNT_UPDATES_MULTI cancelAccountUpdatesMulti 207 CancelAccountUpdatesMulti
    REQ_SEC_DEF_OPT_PARAMS reqSecDefOptParams 212 SecDefOptParamsRequest
    REQ_SOFT_DOLLAR_TIERS reqSoftDollarTiers 212 SoftDollarTiersRequest
    REQ_FAMILY_CODES reqFamilyCodes 212 FamilyCodesRequest
    REQ_MATCHING_SYMBOLS reqMatchingSymbols 212 MatchingSymbolsRequest
    REQ_MKT_DEPTH_EXCHANGES reqMktDepthExchanges 213 MarketDepthExchangesRequest
    REQ_SMART_COMPONENTS reqSmartComponents 212 SmartComponentsRequest
    REQ_NEWS_ARTICLE reqNewsArticle 209 NewsArticleRequest
    REQ_NEWS_PROVIDERS reqNewsProviders 209 NewsProvidersRequest
    REQ_HISTORICAL_NEWS reqHistoricalNews 209 HistoricalNewsRequest
    REQ_HEAD_TIMESTAMP reqHeadTimeStamp 208 HeadTimestampRequest
    REQ_HISTOGRAM_DATA reqHistogramData 208 HistogramDataRequest
    CANCEL_HISTOGRAM_DATA cancelHistogramData 208 CancelHistogramData
    CANCEL_HEAD_TIMESTAMP cancelHeadTimeStamp 208 CancelHeadTimestamp
    REQ_MARKET_RULE reqMarketRule 212 MarketRuleRequest
    REQ_PNL reqPnL 210 PnLRequest
    CANCEL_PNL cancelPnL 210 CancelPnL
    REQ_PNL_SINGLE reqPnLSingle 210 PnLSingleRequest
    CANCEL_PNL_SINGLE cancelPnLSingle 210 CancelPnLSingle
    REQ_HISTORICAL_TICKS reqHistoricalTicks 208 HistoricalTicksRequest
    REQ_TICK_BY_TICK_DATA reqTickByTickData 208 TickByTickRequest
    CANCEL_TICK_BY_TICK_DATA cancelTickByTickData 208 CancelTickByTick
    REQ_COMPLETED_ORDERS reqCompletedOrders 204 CompletedOrdersRequest
    REQ_WSH_META_DATA reqWshMetaData 209 WshMetaDataRequest
    CANCEL_WSH_META_DATA cancelWshMetaData 209 CancelWshMetaData
    REQ_WSH_EVENT_DATA reqWshEventData 209 WshEventDataRequest
    CANCEL_WSH_EVENT_DATA cancelWshEventData 209 CancelWshEventData
    REQ_USER_INFO reqUserInfo 212 UserInfoRequest
    REQ_CURRENT_TIME_IN_MILLIS reqCurrentTimeInMillis 213 CurrentTimeInMillisRequest
    CANCEL_CONTRACT_DATA cancelContractData 0 CancelContractData
    CANCEL_HISTORICAL_TICKS cancelHistoricalTicks 0 CancelHistoricalTicks
    REQ_CONFIG reqConfig 0 ConfigRequest
    UPDATE_CONFIG updateConfig 0 UpdateConfigRequest
    VERIFY_AND_AUTH_REQUEST verifyAndAuthRequest 999 VerifyRequest
    VERIFY_AND_AUTH_MESSAGE verifyAndAuthMessage 999 VerifyMessageRequest
    """,
) | _retired(
    f"""
    {REQ_FUNDAMENTAL_DATA} reqFundamentalData
    {CANCEL_FUNDAMENTAL_DATA} cancelFundamentalData
    """
)

REPLIES: Mapping[int, Kind] = _kinds(
    IN,
    """
    TICK_PRICE tickPrice 206 TickPrice
    TICK_SIZE tickSize 206 TickSize
    ORDER_STATUS orderStatus 203 OrderStatus
    ERR_MSG error 203 ErrorMessage
    OPEN_ORDER openOrder 203 OpenOrder
    ACCT_VALUE updateAccountValue 207 AccountValue
    PORTFOLIO_VALUE updatePortfolio 207 PortfolioValue
    ACCT_UPDATE_TIME updateAccountTime 207 AccountUpdateTime
    NEXT_VALID_ID nextValidId 213 NextValidId
    CONTRACT_DATA contractDetails 205 ContractData
    EXECUTION_DATA execDetails 201 ExecutionDetails
    MARKET_DEPTH updateMktDepth 206 MarketDepth
    MARKET_DEPTH_L2 updateMktDepthL2 206 MarketDepthL2
    MANAGED_ACCTS managedAccounts 207 ManagedAccounts
    HISTORICAL_DATA historicalData 208 HistoricalData
    TICK_OPTION_COMPUTATION tickOptionComputation 206 TickOptionComputation
    TICK_GENERIC tickGeneric 206 TickGeneric
    TICK_STRING tickString 206 TickString
    CURRENT_TIME currentTime 213 CurrentTime
    REAL_TIME_BARS realtimeBar 208 RealTimeBarTick
    CONTRACT_DATA_END contractDetailsEnd 205 ContractDataEnd
    OPEN_ORDER_END openOrderEnd 204 OpenOrdersEnd
    ACCT_DOWNLOAD_END accountDownloadEnd 207 AccountDataEnd
    EXECUTION_DATA_END execDetailsEnd 201 ExecutionDetailsEnd
    TICK_SNAPSHOT_END tickSnapshotEnd 206 TickSnapshotEnd
    MARKET_DATA_TYPE marketDataType 206 MarketDataType
    COMMISSION_AND_FEES_REPORT commissionAndFeesReport 203 CommissionAndFeesReport
    POSITION_DATA position 207 Position
    POSITION_END positionEnd 207 PositionEnd
    ACCOUNT_SUMMARY accountSummary 207 AccountSummary
    ACCOUNT_SUMMARY_END accountSummaryEnd 207 AccountSummaryEnd
    POSITION_MULTI positionMulti 207 PositionMulti
    POSITION_MULTI_END positionMultiEnd 207 PositionMultiEnd
    ACCOUNT_UPDATE_MULTI accountUpdateMulti 207 AccountUpdateMulti
    ACCOUNT_UPDATE_MULTI_END accountUpdateMultiEnd 207 AccountUpdateMultiEnd
    SECURITY_DEFINITION_OPTION_PARAMETER securityDefinitionOptionParameter 212 SecDefOptParameter
    SECURITY_DEFINITION_OPTION_PARAMETER_END securityDefinitionOptionParameterEnd 212 SecDefOptParameterEnd
    SOFT_DOLLAR_TIERS softDollarTiers 212 SoftDollarTiers
    FAMILY_CODES familyCodes 212 FamilyCodes
    SYMBOL_SAMPLES symbolSamples 212 SymbolSamples
    MKT_DEPTH_EXCHANGES mktDepthExchanges 213 MarketDepthExchanges
    TICK_REQ_PARAMS tickReqParams 206 TickReqParams
    SMART_COMPONENTS smartComponents 212 SmartComponents
    NEWS_PROVIDERS newsProviders 209 NewsProviders
    HEAD_TIMESTAMP headTimestamp 208 HeadTimestamp
    HISTORICAL_DATA_UPDATE historicalDataUpdate 208 HistoricalDataUpdate
    MARKET_RULE marketRule 212 MarketRule
    PNL pnl 210 PnL
    PNL_SINGLE pnlSingle 210 PnLSingle
    HISTOGRAM_DATA histogramData 208 HistogramData
    DISPLAY_GROUP_LIST displayGroupList 213 DisplayGroupList
    DISPLAY_GROUP_UPDATED displayGroupUpdated 213 DisplayGroupUpdated
    SCANNER_PARAMETERS scannerParameters 210 ScannerParameters
    SCANNER_DATA scannerData 210 ScannerData
    HISTORICAL_TICKS historicalTicks 208 HistoricalTicks
    HISTORICAL_TICKS_BID_ASK historicalTicksBidAsk 208 HistoricalTicksBidAsk
    HISTORICAL_TICKS_LAST historicalTicksLast 208 HistoricalTicksLast
    TICK_BY_TICK tickByTick 208 TickByTickData
    ORDER_BOUND orderBound 203 OrderBound
    COMPLETED_ORDER completedOrder 204 CompletedOrder
    COMPLETED_ORDERS_END completedOrdersEnd 204 CompletedOrdersEnd
    HISTORICAL_SCHEDULE historicalSchedule 208 HistoricalSchedule
    USER_INFO userInfo 212 UserInfo
    HISTORICAL_DATA_END historicalDataEnd 208 HistoricalDataEnd
    CURRENT_TIME_IN_MILLIS currentTimeInMillis 213 CurrentTimeInMillis
    """,
)
