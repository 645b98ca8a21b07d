"""Frozen values behave like those of ``attrs.frozen``, whose making they shorten."""

import attrs
import pytest

from actors.domain.frozen import frozen


@frozen(kw_only=True)
class Base:
    number: int


@frozen(kw_only=True)
class Value(Base):
    name: str = attrs.field(default="none", converter=str)


@frozen(kw_only=True)
class Nothing:
    pass


def test_fields_are_given_converted_or_left_at_their_defaults() -> None:
    assert (Value(number=1).name, Value(number=1, name=5).name) == ("none", "5")
    assert Nothing() == Nothing()


def test_a_value_cannot_be_changed() -> None:
    value = Value(number=1)

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        value.number = 2  # type: ignore[misc]
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        del value.number
    assert value == Value(number=1)


def test_equal_values_are_one_key_and_another_class_is_another_value() -> None:
    assert {Value(number=1), Value(number=1)} == {Value(number=1)}
    assert type(Value(number=1)) is Value
    assert Value(number=1) != Base(number=1)


def test_an_evolved_value_is_another_one() -> None:
    value = Value(number=1, name="a")

    assert attrs.evolve(value, number=2) == Value(number=2, name="a")
    assert value.number == 1
    assert repr(value) == "Value(number=1, name='a')"


def test_a_wrong_argument_is_named_with_its_class() -> None:
    with pytest.raises(TypeError, match=r"Value.__init__\(\) got an unexpected keyword argument 'colour'"):
        Value(number=1, colour="red")  # type: ignore[call-arg]


def test_a_factory_is_refused() -> None:
    class Listed:
        names: list[str] = attrs.Factory(list)

    with pytest.raises(TypeError, match="Listed.names: a frozen value takes no factory"):
        frozen(kw_only=True)(Listed)
