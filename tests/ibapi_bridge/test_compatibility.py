from collections.abc import Callable

import pytest
from ibapi.client import EClient
from ibapi.wrapper import EWrapper

from ibapi_bridge.compatibility import IncompatibleClient, check_official_client


def test_the_installed_client_is_one_we_can_drive() -> None:
    check_official_client()


def _renamed_parameter(_self: object, orderId: int, what: object, order: object) -> None:  # noqa: N803
    raise AssertionError((orderId, what, order))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda patch: patch.delattr(EClient, "reqAllOpenOrders"), "EClient.reqAllOpenOrders is missing"),
        (lambda patch: patch.setattr(EClient, "placeOrder", _renamed_parameter), "EClient.placeOrder takes"),
        (lambda patch: patch.delattr(EWrapper, "execDetails"), "EWrapper.execDetails is missing"),
        (lambda patch: patch.setattr(EWrapper, "error", lambda _self, _code: None), "EWrapper.error takes"),
        (lambda patch: patch.setattr(EClient, "sendMsg", lambda *_: None), "a request cannot be encoded"),
    ],
)
def test_a_client_that_differs_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, spoil: Callable[[pytest.MonkeyPatch], None], sentence: str
) -> None:
    spoil(monkeypatch)
    with pytest.raises(IncompatibleClient, match=sentence) as refused:
        check_official_client()
    assert "supported are" in str(refused.value)
