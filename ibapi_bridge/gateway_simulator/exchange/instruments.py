"""The instruments the simulated exchange lists unless told otherwise."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from ibapi_bridge.gateway_simulator.exchange.types import Instrument

SPY, AAPL, MSFT, ES, EUR_USD = 756733, 265598, 272093, 495512563, 12087792


def _stock(con_id: int, symbol: str, name: str, listed: str, price: str, isin: str) -> Instrument:
    return Instrument(
        con_id=con_id,
        symbol=symbol,
        sec_type="STK",
        primary_exchange=listed,
        local_symbol=symbol,
        trading_class="NMS" if listed == "NASDAQ" else symbol,
        long_name=name,
        isin=isin,
        reference_price=Decimal(price),
        price_increments=((Decimal(0), Decimal("0.0001")), (Decimal(1), Decimal("0.01"))),
    )


def _option(con_id: int, stock: Instrument, expiry: date, strike: int, right: Literal["C", "P"]) -> Instrument:
    code = f"{stock.symbol:<6}{expiry:%y%m%d}{right}{strike * 1000:08d}"
    return Instrument(
        con_id=con_id,
        symbol=stock.symbol,
        sec_type="OPT",
        local_symbol=code,
        trading_class=stock.symbol,
        long_name=stock.long_name,
        min_tick=Decimal("0.01"),
        market_rule_id=32,
        multiplier=Decimal(100),
        schedule="us_option",
        expiry=expiry,
        strike=Decimal(strike),
        right=right,
        underlying=stock.con_id,
        reference_price=Decimal(5),
    )


def default_instruments() -> tuple[Instrument, ...]:
    """SPY, AAPL, MSFT, the ES future, EUR.USD and four options on SPY and AAPL."""
    spy = _stock(SPY, "SPY", "SPDR S&P 500 ETF TRUST", "ARCA", "450.00", "US78462F1030")
    aapl = _stock(AAPL, "AAPL", "APPLE INC", "NASDAQ", "190.00", "US0378331005")
    expiry = date(2027, 1, 15)
    return (
        spy,
        aapl,
        _stock(MSFT, "MSFT", "MICROSOFT CORP", "NASDAQ", "330.00", "US5949181045"),
        Instrument(
            con_id=ES,
            symbol="ES",
            sec_type="FUT",
            exchange="CME",
            local_symbol="ESZ6",
            trading_class="ES",
            long_name="E-mini S&P 500",
            min_tick=Decimal("0.25"),
            market_rule_id=67,
            multiplier=Decimal(50),
            schedule="cme_globex",
            expiry=date(2026, 12, 18),
            reference_price=Decimal("4500.00"),
        ),
        Instrument(
            con_id=EUR_USD,
            symbol="EUR",
            sec_type="CASH",
            exchange="IDEALPRO",
            local_symbol="EUR.USD",
            trading_class="EUR.USD",
            long_name="European Monetary Union Euro",
            min_tick=Decimal("0.00005"),
            market_rule_id=239,
            schedule="forex",
            reference_price=Decimal("1.10000"),
        ),
        _option(700000001, spy, expiry, 450, "C"),
        _option(700000002, spy, expiry, 450, "P"),
        _option(700000003, aapl, expiry, 190, "C"),
        _option(700000004, aapl, expiry, 190, "P"),
    )


def further_instruments() -> tuple[Instrument, ...]:
    """One more of each kind that the default list lacks: an index, a CFD, a crypto currency and an option on ES."""
    return (
        Instrument(
            con_id=416904,
            symbol="SPX",
            sec_type="IND",
            exchange="CBOE",
            local_symbol="SPX",
            trading_class="SPX",
            long_name="S&P 500 Stock Index",
            market_rule_id=0,
            reference_price=Decimal("4500.00"),
        ),
        Instrument(
            con_id=120549942,
            symbol="AAPL",
            sec_type="CFD",
            local_symbol="AAPL",
            trading_class="AAPL",
            long_name="APPLE INC",
            reference_price=Decimal("190.00"),
        ),
        Instrument(
            con_id=479624278,
            symbol="BTC",
            sec_type="CRYPTO",
            exchange="PAXOS",
            local_symbol="BTC.USD",
            trading_class="BTC.USD",
            long_name="Bitcoin cryptocurrency",
            min_tick=Decimal("0.25"),
            market_rule_id=1868,
            min_size=Decimal("0.00000001"),
            size_increment=Decimal("0.00000001"),
            schedule="always",
            reference_price=Decimal("40000.00"),
        ),
        Instrument(
            con_id=700000005,
            symbol="ES",
            sec_type="FOP",
            exchange="CME",
            local_symbol="ESZ6 C4500",
            trading_class="ES",
            long_name="E-mini S&P 500",
            min_tick=Decimal("0.25"),
            market_rule_id=67,
            multiplier=Decimal(50),
            schedule="cme_globex",
            expiry=date(2026, 12, 18),
            strike=Decimal(4500),
            right="C",
            underlying=ES,
            reference_price=Decimal(100),
        ),
    )
