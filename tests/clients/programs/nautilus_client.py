"""NautilusTrader's live adapter for IB, in a trading node with reconciliation: HOST PORT QUANTITY ACCOUNT."""

import asyncio
import sys
from typing import Any

from nautilus_trader.adapters.interactive_brokers.common import IB
from nautilus_trader.adapters.interactive_brokers.config import (
    InteractiveBrokersDataClientConfig,
    InteractiveBrokersExecClientConfig,
    InteractiveBrokersInstrumentProviderConfig,
)
from nautilus_trader.adapters.interactive_brokers.factories import (
    IB_CLIENTS,
    InteractiveBrokersLiveDataClientFactory,
    InteractiveBrokersLiveExecClientFactory,
)
from nautilus_trader.config import LiveDataEngineConfig, LoggingConfig, RoutingConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.enums import OrderSide, TimeInForce
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.strategy import Strategy
from outcome import Outcome, address, wanted_shares

CLIENT_ID = 11
SPY = InstrumentId.from_str("SPY.ARCA")


class Story(Strategy):
    """A market order on the first quote, then a resting order that is changed and cancelled."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome
        self.over = asyncio.Event()
        self.fills: list[float] = []
        self.bid: Any = None
        self.resting: Any = None

    def on_start(self) -> None:
        self.instrument = self.cache.instrument(SPY)
        self.outcome.done("contract details", str(self.instrument.id))
        self.subscribe_quote_ticks(SPY)

    def on_quote_tick(self, tick: Any) -> None:
        if self.bid is not None:
            return
        self.bid = float(tick.bid_price)
        self.outcome.done("market data", [float(tick.bid_price), float(tick.ask_price)])
        quantity = self.instrument.make_qty(wanted_shares())
        self.submit_order(self.order_factory.market(SPY, OrderSide.BUY, quantity, TimeInForce.DAY))

    def on_order_filled(self, event: Any) -> None:
        self.fills.append(float(event.last_qty))
        if sum(self.fills) == wanted_shares():
            self.outcome.done("fills", self.fills)
            self.outcome.done("filled", sum(self.fills))
            self.rest()

    def rest(self) -> None:
        """Send the order that is to be changed and cancelled."""
        quantity, price = self.instrument.make_qty(100), self.instrument.make_price(self.bid * 0.95)
        self.resting = self.order_factory.limit(SPY, OrderSide.BUY, quantity, price, TimeInForce.DAY)
        self.submit_order(self.resting)

    def on_order_accepted(self, event: Any) -> None:
        if self.resting is None or event.client_order_id != self.resting.client_order_id:
            return
        if "open orders" not in self.outcome.steps:  # every repeated openOrder is another acceptance
            self.outcome.done("open orders", len(self.cache.orders_open(instrument_id=SPY)))
            self.modify_order(self.resting, price=self.instrument.make_price(self.bid * 0.94))

    def on_order_updated(self, event: Any) -> None:
        if self.resting is None or event.client_order_id != self.resting.client_order_id:
            return
        if self.resting.price == self.instrument.make_price(self.bid * 0.94) and "modify" not in self.outcome.steps:
            self.outcome.done("modify", float(self.resting.price))
            self.cancel_order(self.resting)

    def on_order_canceled(self, event: Any) -> None:
        self.outcome.done("cancel")
        self.over.set()

    def on_order_rejected(self, event: Any) -> None:
        self.outcome.failure = f"rejected: {event.reason}"
        self.over.set()


def node_config(host: str, port: int, account: str) -> TradingNodeConfig:
    """One data client and one execution client on one connection."""
    link = {
        "ibg_host": host,
        "ibg_port": port,
        "ibg_client_id": CLIENT_ID,
        "instrument_provider": InteractiveBrokersInstrumentProviderConfig(load_ids=frozenset({str(SPY)})),
        "routing": RoutingConfig(default=True),
    }
    return TradingNodeConfig(
        trader_id="TESTER-001",
        logging=LoggingConfig(log_level="WARNING", log_colors=False),
        data_clients={IB: InteractiveBrokersDataClientConfig(**link)},
        exec_clients={IB: InteractiveBrokersExecClientConfig(account_id=account, **link)},
        data_engine=LiveDataEngineConfig(time_bars_timestamp_on_close=False, validate_data_sequence=True),
        timeout_connection=30,
        timeout_reconciliation=10,
        timeout_portfolio=10,
        timeout_disconnection=3,
        timeout_post_stop=0.5,
    )


async def story(outcome: Outcome) -> None:
    host, port = address()
    node = TradingNode(config=node_config(host, port, sys.argv[4]), loop=asyncio.get_running_loop())
    strategy = Story(outcome)
    node.trader.add_strategy(strategy)
    node.add_data_client_factory(IB, InteractiveBrokersLiveDataClientFactory)
    node.add_exec_client_factory(IB, InteractiveBrokersLiveExecClientFactory)
    node.build()
    running = asyncio.create_task(node.run_async())
    try:
        (client,) = IB_CLIENTS.values()
        await asyncio.wait_for(strategy.over.wait(), timeout=60)
        outcome.done("server version", client._eclient.serverVersion())
        positions = node.cache.positions_open(instrument_id=SPY)
        outcome.done("position", sum(float(one.signed_qty) for one in positions))
        outcome.done("account summary", len(node.cache.accounts()))
    finally:
        await node.stop_async()
        running.cancel()


def main() -> int:
    """Run the story; a failure is told in the outcome."""
    outcome = Outcome("nautilus_trader")
    try:
        asyncio.run(story(outcome))
    except BaseException as error:  # noqa: BLE001 - whatever it is belongs in the result
        outcome.failure = outcome.failure or repr(error)
    return outcome.finish()


if __name__ == "__main__":
    sys.exit(main())
