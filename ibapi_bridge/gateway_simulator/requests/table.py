"""Which function answers which request."""

from collections.abc import Mapping

from ibapi.message import OUT

from ibapi_bridge.gateway_simulator.catalogue import CANCEL_FUNDAMENTAL_DATA, REQ_FUNDAMENTAL_DATA
from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.requests import (
    accounts,
    connection,
    contracts,
    depth,
    display_groups,
    history,
    market_data,
    options,
    orders,
    reference,
    scanners,
    snapshots,
    unsubscribed,
)
from ibapi_bridge.gateway_simulator.requests.refusals import Handler
from ibapi_bridge.gateway_simulator.session import Session
from ibapi_bridge.gateway_simulator.wire import Request

HANDLERS: Mapping[int, Handler] = {
    OUT.START_API: connection.start_api,
    OUT.REQ_IDS: connection.next_ids,
    OUT.REQ_CURRENT_TIME: connection.current_time,
    OUT.REQ_CURRENT_TIME_IN_MILLIS: connection.current_time_in_millis,
    OUT.REQ_MANAGED_ACCTS: connection.managed_accounts,
    OUT.SET_SERVER_LOGLEVEL: connection.server_log_level,
    OUT.PLACE_ORDER: orders.place,
    OUT.CANCEL_ORDER: orders.cancel,
    OUT.REQ_GLOBAL_CANCEL: orders.global_cancel,
    OUT.REQ_OPEN_ORDERS: snapshots.open_orders,
    OUT.REQ_ALL_OPEN_ORDERS: snapshots.all_open_orders,
    OUT.REQ_AUTO_OPEN_ORDERS: snapshots.auto_open_orders,
    OUT.REQ_EXECUTIONS: snapshots.executions,
    OUT.REQ_COMPLETED_ORDERS: snapshots.completed_orders,
    OUT.REQ_CONTRACT_DATA: contracts.details,
    OUT.REQ_MARKET_RULE: contracts.market_rule,
    OUT.REQ_MKT_DATA: market_data.subscribe,
    OUT.CANCEL_MKT_DATA: market_data.cancel,
    OUT.REQ_MARKET_DATA_TYPE: market_data.data_type,
    OUT.REQ_POSITIONS: accounts.positions,
    OUT.CANCEL_POSITIONS: accounts.cancel_positions,
    OUT.REQ_ACCOUNT_SUMMARY: accounts.summary,
    OUT.CANCEL_ACCOUNT_SUMMARY: accounts.cancel_summary,
    OUT.REQ_ACCT_DATA: accounts.updates,
    OUT.REQ_POSITIONS_MULTI: accounts.positions_multi,
    OUT.CANCEL_POSITIONS_MULTI: accounts.cancel_positions_multi,
    OUT.REQ_ACCOUNT_UPDATES_MULTI: accounts.updates_multi,
    OUT.CANCEL_ACCOUNT_UPDATES_MULTI: accounts.cancel_updates_multi,
    OUT.REQ_PNL: accounts.pnl,
    OUT.CANCEL_PNL: accounts.cancel_pnl,
    OUT.REQ_PNL_SINGLE: accounts.pnl_single,
    OUT.CANCEL_PNL_SINGLE: accounts.cancel_pnl_single,
    OUT.REQ_HISTORICAL_DATA: history.bars,
    OUT.CANCEL_HISTORICAL_DATA: history.cancel_bars,
    OUT.REQ_HEAD_TIMESTAMP: history.head_timestamp,
    OUT.CANCEL_HEAD_TIMESTAMP: reference.nothing_to_cancel,
    OUT.REQ_HISTORICAL_TICKS: history.ticks,
    OUT.CANCEL_HISTORICAL_TICKS: reference.nothing_to_cancel,
    OUT.REQ_HISTOGRAM_DATA: history.histogram,
    OUT.CANCEL_HISTOGRAM_DATA: reference.nothing_to_cancel,
    OUT.REQ_REAL_TIME_BARS: history.real_time_bars,
    OUT.CANCEL_REAL_TIME_BARS: history.cancel_real_time_bars,
    OUT.REQ_TICK_BY_TICK_DATA: history.tick_by_tick,
    OUT.CANCEL_TICK_BY_TICK_DATA: history.cancel_tick_by_tick,
    OUT.REQ_MATCHING_SYMBOLS: reference.matching_symbols,
    OUT.REQ_SEC_DEF_OPT_PARAMS: reference.option_parameters,
    OUT.REQ_SMART_COMPONENTS: reference.smart_components,
    OUT.REQ_MKT_DEPTH_EXCHANGES: depth.exchanges,
    OUT.REQ_MKT_DEPTH: depth.subscribe,
    OUT.CANCEL_MKT_DEPTH: depth.cancel,
    OUT.REQ_SOFT_DOLLAR_TIERS: reference.soft_dollar_tiers,
    OUT.REQ_FAMILY_CODES: reference.family_codes,
    OUT.REQ_USER_INFO: reference.user_info,
    OUT.CANCEL_CONTRACT_DATA: reference.nothing_to_cancel,
    OUT.REQ_CALC_IMPLIED_VOLAT: options.implied_volatility_of,
    OUT.REQ_CALC_OPTION_PRICE: options.price_of,
    OUT.CANCEL_CALC_IMPLIED_VOLAT: options.cancel_calculation,
    OUT.CANCEL_CALC_OPTION_PRICE: options.cancel_calculation,
    OUT.EXERCISE_OPTIONS: options.exercise,
    OUT.REQ_SCANNER_PARAMETERS: scanners.parameters,
    OUT.REQ_SCANNER_SUBSCRIPTION: scanners.subscribe,
    OUT.CANCEL_SCANNER_SUBSCRIPTION: scanners.cancel,
    OUT.QUERY_DISPLAY_GROUPS: display_groups.query,
    OUT.SUBSCRIBE_TO_GROUP_EVENTS: display_groups.subscribe,
    OUT.UPDATE_DISPLAY_GROUP: display_groups.update,
    OUT.UNSUBSCRIBE_FROM_GROUP_EVENTS: display_groups.unsubscribe,
    OUT.REQ_NEWS_PROVIDERS: unsubscribed.news_providers,
    OUT.REQ_HISTORICAL_NEWS: unsubscribed.historical_news,
    OUT.REQ_NEWS_ARTICLE: unsubscribed.news_article,
    OUT.REQ_NEWS_BULLETINS: reference.nothing_to_cancel,
    OUT.CANCEL_NEWS_BULLETINS: reference.nothing_to_cancel,
    OUT.REQ_WSH_META_DATA: unsubscribed.wall_street_horizon,
    OUT.REQ_WSH_EVENT_DATA: unsubscribed.wall_street_horizon,
    OUT.CANCEL_WSH_META_DATA: reference.nothing_to_cancel,
    OUT.CANCEL_WSH_EVENT_DATA: reference.nothing_to_cancel,
    REQ_FUNDAMENTAL_DATA: unsubscribed.fundamentals,
    CANCEL_FUNDAMENTAL_DATA: reference.nothing_to_cancel,
    OUT.REQ_FA: unsubscribed.advisor_data,
    OUT.REPLACE_FA: unsubscribed.replace_advisor_data,
    OUT.VERIFY_REQUEST: unsubscribed.verify,
    OUT.VERIFY_MESSAGE: unsubscribed.verify,
    OUT.VERIFY_AND_AUTH_REQUEST: unsubscribed.verify,
    OUT.VERIFY_AND_AUTH_MESSAGE: unsubscribed.verify,
}


def dispatch(gateway: Gateway, session: Session, request: Request) -> None:
    """Answers one request; what the simulator does not offer gets an error, never silence."""
    if session.client_id is None and request.number != OUT.START_API:
        return
    handler = HANDLERS.get(request.number)
    if handler is None:
        unsupported(gateway, session, request)
    else:
        handler(gateway, session, request.message)


def unsupported(gateway: Gateway, session: Session, request: Request) -> None:
    """The validation error for a request the simulator knows but does not serve."""
    request_id = getattr(request.message, "reqId", -1) or -1
    text = f"Error validating request.-'bF' : cause - {request.name} is not supported by this gateway"
    session.error(request_id, 321, text, gateway.now)
