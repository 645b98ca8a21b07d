"""Text fields to messages and back."""

from ibapi_bridge.gateway_simulator.catalogue import REPLIES, REQUESTS
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.text import replies, requests
from ibapi_bridge.gateway_simulator.text.layout import Block, FieldError, Fields, written


def split_fields(body: bytes) -> list[str]:
    """The fields of a body; each is ended by a NUL.

    Raises:
        FieldError: the last field has no end.
    """
    texts = body.decode("utf-8", "replace").split("\0")
    if texts.pop():
        raise FieldError("the last field is not ended")
    return texts


def has_request_table(number: int) -> bool:
    """Whether a request can be read as text."""
    return number in requests.REQUESTS


def read_request(number: int, body: bytes, version: int) -> Message:
    """The canonical message of a text request.

    Raises:
        FieldError: the fields do not fit the request's table at that version.
    """
    return _read(requests.REQUESTS[number], REQUESTS[number].message(), body, version)


def read_reply(number: int, body: bytes, version: int) -> Message:
    """The canonical message of a text reply, for tests and logs.

    Raises:
        FieldError: the fields do not fit the reply's table at that version.
    """
    return _read(replies.REPLIES[number], REPLIES[number].message(), body, version)


def _read(table: Block, message: Message, body: bytes, version: int) -> Message:
    fields = Fields(split_fields(body))
    try:
        table.read(fields, message, version)
    except (ValueError, TypeError, OverflowError) as error:
        raise FieldError(str(error)) from error
    if fields.left():
        raise FieldError(f"{fields.left()} fields too many")
    return message


def write_reply(number: int, message: Message, version: int) -> bytes:
    """The text body of a reply."""
    return write(replies.REPLIES[number], message, version)


def write(table: Block, message: Message, version: int) -> bytes:
    """The text body of a message by its table.

    A NUL inside a field would end it for a reader; only a protobuf client can have sent one, and it is left out.
    """
    fields = written(table, message, version)
    body = "\0".join([*fields, ""])
    if body.count("\0") != len(fields):
        body = "\0".join([*(field.replace("\0", "") for field in fields), ""])
    return body.encode("utf-8")
