"""A strategy that trades one of each kind of contract, closes everything and says so; see ``test_kinds.py``."""

from decimal import Decimal

from actors.domain.order_state import OrderState
from actors.domain.terms import Order, OrderType, Side, TimeInForce
from actors.messages.events import OrderEvent
from actors.messages.reports import QuoteReported
from strategy.base import Strategy


class KindsTrader(Strategy):
    """Buys once it has seen a quote of every contract, sells everything once all is bought."""

    symbols = ("SPY", "ES", "EURUSD", "CALL", "FOP", "CFD", "BTC", "SPX", "SPREAD")
    is_bought = is_flat = False

    def on_start(self) -> None:
        self.quoted: set[str] = set()
        self.ordered: list[str] = []

    def on_quote(self, quote: QuoteReported) -> None:
        if quote.ask is None or self.ordered:
            return
        self.quoted.add(f"{quote.contract.sec_type} {quote.contract.symbol}")
        if len(self.quoted) == len(self.symbols) - 1:  # nobody quotes a combo here
            self.buy_everything()

    def buy_everything(self) -> None:
        self.log(f"QUOTED {sorted(self.quoted)}")
        quantities = {"SPY": 10, "ES": 1, "EURUSD": 25_000, "CALL": 2, "FOP": 1, "CFD": 5}
        orders = [Order(side=Side.BUY, quantity=quantity, symbol=name) for name, quantity in quantities.items()]
        bitcoin = Order(
            side=Side.BUY, quantity=0, cash_quantity=Decimal(1000), symbol="BTC", time_in_force=TimeInForce.IOC
        )
        # The call bought and the put sold at any net price, a credit included.
        spread = Order(
            side=Side.BUY, quantity=1, symbol="SPREAD", order_type=OrderType.LIMIT, limit_price=Decimal("20.00")
        )
        self.ordered = [self.broker.submit_order(order) for order in (*orders, bitcoin, spread)]

    def on_order(self, order: OrderState, event: OrderEvent) -> None:
        known = [self.broker.order(name) for name in self.ordered]
        if known and all(state is not None and state.status.is_terminal for state in known) and not self.is_bought:
            self.is_bought = True
            for state in known:
                assert state is not None
                self.log(f"BOUGHT {state.contract.sec_type} {state.status} {state.filled} of {state.order.quantity}")
            self.log(f"HELD {self.held()}")
            self.broker.flatten_all("all is bought")
        elif self.is_bought and not (self.is_flat or self.broker.open_orders() or self.broker.positions()):
            self.is_flat = True  # said once: each time, whoever reads it sends a signal
            self.log("FLAT")

    def held(self) -> list[str]:
        return sorted(
            f"{view.contract.sec_type} {view.contract.name} {view.quantity:f}" for view in self.broker.positions()
        )
