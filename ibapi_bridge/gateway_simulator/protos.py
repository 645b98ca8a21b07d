"""The installed official client's own protobuf classes, loaded by name and never copied.

They carry no type information, hence the one dynamic alias of the package.
"""

import importlib
from typing import Any, TypeAlias

Message: TypeAlias = Any
MessageClass: TypeAlias = Any


def message_class(name: str) -> MessageClass:
    """The protobuf class of that name from the installed `ibapi` package."""
    return getattr(importlib.import_module(f"ibapi.protobuf.{name}_pb2"), name)


def copy_of(message: Message) -> Message:
    """An independent copy of a message."""
    duplicate = type(message)()
    duplicate.CopyFrom(message)
    return duplicate


Contract = message_class("Contract")
Order = message_class("Order")
