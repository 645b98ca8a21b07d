from datetime import time
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from actors.domain.contract import Contract, Leg, SecType
from strategy.config import Config, check_ports, load_config, parse_config
from strategy.errors import ConfigError


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(text)
    return str(caught.value)


def test_an_empty_file_gives_the_defaults() -> None:
    assert parse_config("") == Config()


def test_every_section_is_read() -> None:
    config = parse_config(
        """
        [connection]
        host = "gateway"
        port = 7497
        account = "DU1"
        reconnect_delay_seconds = 5

        [trading]
        trading_enabled = false
        flatten_at = "12:50"
        max_order_notional = "1000.50"
        max_open_orders = 3

        [strategy]
        path = "mine.py"
        class = "Mine"
        parameters = { quantity = 5, deep = { a = [1] } }

        [logging]
        level = "DEBUG"

        [session]
        time_zone = "Europe/Berlin"

        [pacing]
        messages_per_second = 10

        [process]
        one_cpu = false

        [symbols]
        ES = { sec_type = "FUT", exchange = "CME", expiry = "202512", multiplier = 50 }
        """
    )
    assert (config.connection.host, config.connection.port) == ("gateway", 7497)
    assert config.connection.reconnect_delay_seconds == 5.0
    assert config.trading.flatten_at == config.trading.lock_at == time(12, 50)
    assert (config.trading.max_order_notional, config.trading.max_open_orders) == (Decimal("1000.50"), 3)
    assert (config.strategy.name, config.strategy.parameters["quantity"]) == ("mine.py:Mine", 5)
    assert config.session.time_zone == "Europe/Berlin"
    assert (config.pacing.messages_per_second, config.process.one_cpu) == (10.0, False)
    assert config.symbols["ES"] == Contract(
        symbol="ES", sec_type=SecType.FUTURE, exchange="CME", expiry="202512", multiplier=Decimal(50)
    )


def test_off_switches_a_rule_off() -> None:
    config = parse_config('[trading]\nflatten_at = "off"\nmax_order_quantity = "off"')
    assert (config.trading.flatten_at, config.trading.lock_at, config.trading.max_order_quantity) == (None, None, None)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[conection]", "[conection] is unknown: did you mean 'connection'?"),
        ("[connection]\nprot = 1", "connection.prot is unknown: did you mean 'port'?"),
        ("[connection]\nport = '4002'", "connection.port is '4002': it must be a whole number"),
        ("[connection]\nport = true", "connection.port is True: it must be a whole number"),
        ("[connection]\nport = 0", "connection.port is 0: it must be from 1 to 65535"),
        ("[connection]\nport = 65536", "connection.port is 65536: it must be from 1 to 65535"),
        ("[connection]\nreconnect_attempts = -1", "connection.reconnect_attempts is -1: it must be at least 0"),
        ("[connection]\nhost = ''", "connection.host is '': it must be text that is not empty"),
        ("connection = 3", "connection is 3: it must be a table, written [connection]"),
        ("[trading]\ntrading_enabled = 1", "trading.trading_enabled is 1: it must be true or false"),
        (
            "[trading]\nflatten_at = '25:00'",
            'trading.flatten_at is \'25:00\': it must be a time of day without a zone, such as "15:50" or "off"',
        ),
        (
            "[trading]\nlock_at = '15:30+02:00'",
            'trading.lock_at is \'15:30+02:00\': it must be a time of day without a zone, such as "15:50" or "off"',
        ),
        (
            '[trading]\nstate_directory = "a\\u0000"',
            "trading.state_directory is 'a\\x00': it must be text that is not empty",
        ),
        (
            f"[connection]\nport = {'9' * 5000}",
            "it is not valid TOML: a number is too long, or lists and tables are nested too deep",
        ),
        (
            f"a = {'[' * 5000}",
            "it is not valid TOML: a number is too long, or lists and tables are nested too deep",
        ),
        (
            "[trading]\nmax_order_quantity = 0",
            'trading.max_order_quantity is 0: it must be greater than 0 or "off"',
        ),
        (
            "[trading]\nlock_at = 15:55:00",
            "trading.lock_at is 15:55: it must not be later than trading.flatten_at (15:50)",
        ),
        ("[trading]\ndurability = 'none'", "trading.durability is 'none': it must be one of 'process', 'power'"),
        ("[strategy]\nid = 'a b'", "strategy.id is 'a b': it must be at most 16 letters, digits, '_', '.' or '-'"),
        ("[strategy]\nparameters = 3", "strategy.parameters is 3: it must be a table"),
        (
            "[strategy]\npath = 'a.py'\nclass = 'm:C'",
            "strategy.class is 'm:C': with strategy.path it must be the name of a class alone",
        ),
        (
            "[session]\ntime_zone = 'Mars'",
            "session.time_zone is 'Mars': it must be a time zone such as 'America/New_York'",
        ),
        ("[pacing]\nmessages_per_second = inf", "pacing.messages_per_second is inf: it must be a number"),
        ("[symbols]\nES = { sec_typ = 'FUT' }", "symbols.ES.sec_typ is unknown: did you mean 'sec_type'?"),
        ("[symbols]\nES = { strike = 'x' }", "symbols.ES.strike is 'x': it must be a number"),
        ("[symbols]\nES = 1", "symbols.ES is 1: it must be a table such as { sec_type = 'FUT', ... }"),
    ],
)
def test_a_mistake_is_one_sentence_with_key_value_and_what_is_accepted(text: str, sentence: str) -> None:
    assert refusal(text) == sentence


def test_broken_toml_and_unreadable_files_are_one_sentence(tmp_path: Path) -> None:
    assert refusal("a = ").startswith("it is not valid TOML: ")
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"a = '\xff'")
    with pytest.raises(ConfigError, match="must be UTF-8 text"):
        load_config(tmp_path / "latin.toml")


def test_a_file_is_named_in_the_sentence_and_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf[pacing]\nmessages_per_second = 7\n")
    assert load_config(path).pacing.messages_per_second == 7.0
    path.write_text("[pacing]\nspeed = 7\n")
    with pytest.raises(ConfigError, match=r"config.toml: pacing.speed is unknown"):
        load_config(path)


@pytest.mark.parametrize(
    ("mode", "port", "account", "is_refused"),
    [
        ("simulator", 4001, "DU1", False),
        ("paper", 4002, "DU1234567", False),
        ("paper", 7497, "", False),
        ("paper", 5000, "DF1234567", False),
        ("paper", 4001, "", True),
        ("paper", 7496, "DU1234567", True),
        ("paper", 4002, "U1234567", True),
        ("live", 4001, "U1234567", False),
        ("live", 5000, "U1234567", False),
        ("live", 4002, "", True),
        ("live", 7497, "U1234567", True),
        ("live", 7496, "DU1234567", True),
        ("live", 5000, "DF1234567", True),
    ],
)
def test_paper_and_live_are_never_mixed(mode: str, port: int, account: str, is_refused: bool) -> None:
    if not is_refused:
        check_ports(mode, port, account)
        return
    with pytest.raises(ConfigError) as caught:
        check_ports(mode, port, account)
    assert "1234567" not in str(caught.value)


def test_the_documentation_names_every_key_with_its_default() -> None:
    text = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
    for section in attrs.fields(Config):
        assert f"[{section.name}]" in text
        if attrs.has(section.default.factory):  # type: ignore[union-attr]
            for field in attrs.fields(section.default.factory):  # type: ignore[union-attr]
                assert f"| `{field.metadata.get('name') or field.name}` |" in text, f"{section.name}.{field.name}"


def test_a_combo_is_configured_by_its_legs() -> None:
    text = '[symbols.SPREAD]\nsymbol = "SPY"\nsec_type = "BAG"\nlegs = [{ con_id = 1 }, { con_id = 2, side = "SELL" }]'
    spread = parse_config(text).symbols["SPREAD"]
    assert spread.legs == (Leg(con_id=1), Leg(con_id=2, side="SELL"))


@pytest.mark.parametrize(
    ("legs", "sentence"),
    [
        ("5", "symbols.S.legs is 5: it must be a list, each item a table such as { con_id = 700000001"),
        ("[{ con = 1 }]", "each item a table such as"),
        ("[{ con_id = 1 }]", "symbols.S: legs of S combo are 1: a combo needs at least two"),
    ],
)
def test_legs_that_are_none_are_refused(legs: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_config(f'[symbols]\nS = {{ sec_type = "BAG", legs = {legs} }}')
    assert sentence in str(refused.value)
