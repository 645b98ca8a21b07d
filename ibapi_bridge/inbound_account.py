"""Accounts, positions and account values as the broker reports them."""

from actors.domain.identity import Account
from actors.messages.reports import AccountsReported, AccountValueReported, PositionReported, Report
from ibapi_bridge.figures import figure, identity, needed, text
from ibapi_bridge.inbound_terms import contract_of
from ibapi_bridge.spoken import Spoken


def managed_accounts(said: Spoken) -> tuple[Report, ...]:
    """The accounts this login may trade; the list may end with a comma."""
    listed = (identity(part) for part in text(said.args.get("accountsList"), 65_536).split(","))
    accounts = tuple(dict.fromkeys(Account(name) for name in listed if name))
    return (AccountsReported(at=said.at, epoch=said.epoch, accounts=accounts),)


def position(said: Spoken) -> tuple[Report, ...]:
    """A position; 0 means closed."""
    args = said.args
    return (
        PositionReported(
            at=said.at,
            epoch=said.epoch,
            account=Account(identity(args.get("account"))),
            contract=contract_of(args.get("contract")),
            quantity=needed("position", figure(args.get("position")), args.get("position")),
            average_cost=figure(args.get("avgCost")),
        ),
    )


def account_summary(said: Spoken) -> tuple[Report, ...]:
    """A row of the summary of all accounts."""
    return _account_value(said, account="account", key="tag", value="value")


def update_account_value(said: Spoken) -> tuple[Report, ...]:
    """A row of one account's values."""
    return _account_value(said, account="accountName", key="key", value="val")


def _account_value(said: Spoken, *, account: str, key: str, value: str) -> tuple[Report, ...]:
    return (
        AccountValueReported(
            at=said.at,
            epoch=said.epoch,
            account=Account(identity(said.args.get(account))),
            key=identity(said.args.get(key)),
            value=text(said.args.get(value)),
            currency=identity(said.args.get("currency")),
        ),
    )
