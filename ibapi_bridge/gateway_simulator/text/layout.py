"""Tables of text fields that read into, and write from, the canonical protobuf messages.

A table is written as words: `path:kind`, `=constant`, each with an optional `@first` server version and `<below`
version. Repeated and conditional parts are items of their own between the words.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

import attrs

from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.text.values import KINDS, Kind

FOREVER = 1_000_000
MAX_REPEAT = 10_000
_WORD = re.compile(r"^(?:(?P<path>[\w.]+):(?P<kind>\w)|=(?P<constant>\S*?))(?:@(?P<since>\d+))?(?:<(?P<below>\d+))?$")


class FieldError(ValueError):
    """The fields of a message do not fit its table."""


class RefusedField(Exception):
    """A field that is readable and says what a gateway refuses; `message_id` is what the answer goes to."""

    def __init__(self, code: int, text: str, *, message_id: int) -> None:
        super().__init__(text)
        self.code = code
        self.message_id = message_id


class Fields:
    """The fields of one received message, read in order."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._next = 0

    def take(self) -> str:
        """The next field.

        Raises:
            FieldError: there is none.
        """
        if self._next >= len(self._texts):
            raise FieldError(f"only {len(self._texts)} fields")
        self._next += 1
        return self._texts[self._next - 1]

    def count(self) -> int:
        """The next field as the number of things that follow.

        Raises:
            FieldError: not a sensible number.
        """
        text = self.take() or "0"
        if not text.isdigit() or int(text) > MAX_REPEAT:
            raise FieldError(f"{text[:20]!r} is not a count")
        return int(text)

    def left(self) -> int:
        """How many fields have not been read."""
        return len(self._texts) - self._next


class Out(list[str]):
    """The fields of one message being written; knows which of its fields are set, each owner asked once."""

    def __init__(self, message: Message) -> None:
        super().__init__()
        self._message = message
        self._set: dict[tuple[str, ...], dict[str, Any]] = {}

    def fields_of(self, path: tuple[str, ...]) -> dict[str, Any]:
        """The set fields of the message's part at a path, by name."""
        known = self._set.get(path)
        if known is None:
            pairs = _owner(self._message, path).ListFields()
            known = self._set[path] = {descriptor.name: value for descriptor, value in pairs}
        return known


class Item(Protocol):
    """A part of a table."""

    def present(self, version: int) -> bool:
        """Whether the part exists at a server version."""

    def read(self, fields: Fields, message: Message, version: int) -> None:
        """Reads the part into a message."""

    def write(self, out: Out, message: Message, version: int) -> None:
        """Appends the part of a message."""


@attrs.frozen(kw_only=True, eq=False)
class Field:
    """One field of the message, or a constant when `name` is empty."""

    owner: tuple[str, ...] = ()
    name: str = ""
    kind: Kind = KINDS["s"]
    constant: str = ""
    since: int = 0
    below: int = FOREVER

    def present(self, version: int) -> bool:
        """Whether the field exists at a server version."""
        return self.since <= version < self.below

    def read(self, fields: Fields, message: Message, version: int) -> None:
        """Sets the field unless it is unset; constants are skipped."""
        text = fields.take()
        if not self.name:
            return
        value = self.kind.read(text)
        if value is not None:
            setattr(_owner(message, self.owner), self.name, value)

    def write(self, out: Out, message: Message, version: int) -> None:
        """Appends the field's text, or what stands for an absent one."""
        if not self.name:
            out.append(self.constant)
            return
        owner = _owner(message, self.owner)
        out.append(self.kind.write(getattr(owner, self.name)) if owner.HasField(self.name) else self.kind.absent)


def _owner(message: Message, path: tuple[str, ...]) -> Message:
    for name in path:
        message = getattr(message, name)
    return message


@attrs.frozen(kw_only=True, eq=False)
class Block:
    """Items in order; the table of a whole message is one. What exists at a version is worked out once."""

    items: tuple[Item, ...]
    since: int = 0
    below: int = FOREVER
    _readable: dict[int, tuple[Item, ...]] = attrs.field(factory=dict, init=False)
    _writable: dict[int, tuple["_Writable", ...]] = attrs.field(factory=dict, init=False)

    def present(self, version: int) -> bool:
        """Whether the block exists at a server version."""
        return self.since <= version < self.below

    def read(self, fields: Fields, message: Message, version: int) -> None:
        """Reads every item that exists at the version."""
        for item in self._items_at(version):
            item.read(fields, message, version)

    def write(self, out: Out, message: Message, version: int) -> None:
        """Appends every item that exists at the version."""
        runs = self._writable.get(version)
        if runs is None:
            runs = self._writable[version] = _runs(self._items_at(version))
        for item in runs:
            item.write(out, message, version)

    def _items_at(self, version: int) -> tuple[Item, ...]:
        items = self._readable.get(version)
        if items is None:
            items = self._readable[version] = tuple(item for item in self.items if item.present(version))
        return items


class _Writable(Protocol):
    def write(self, out: Out, message: Message, version: int) -> None: ...


@attrs.frozen(kw_only=True, eq=False)
class _Run:
    """Neighbouring fields of one owner, written together because asking a message field by field is slow."""

    owner: tuple[str, ...]
    fields: tuple[Field, ...]

    def write(self, out: Out, message: Message, version: int) -> None:
        there = out.fields_of(self.owner)
        for field in self.fields:
            if not field.name:
                out.append(field.constant)
            elif field.name in there:
                out.append(field.kind.write(there[field.name]))
            else:
                out.append(field.kind.absent)


def _runs(items: tuple[Item, ...]) -> tuple[_Writable, ...]:
    runs: list[_Writable] = []
    for item in items:
        last = runs[-1] if runs else None
        if not isinstance(item, Field):
            runs.append(item)
        elif isinstance(last, _Run) and (not item.name or item.owner == last.owner):
            runs[-1] = _Run(owner=last.owner, fields=(*last.fields, item))
        else:
            runs.append(_Run(owner=item.owner, fields=(item,)))
    return tuple(runs)


@attrs.frozen(kw_only=True, eq=False)
class When:
    """A block that exists only while a condition on what was read or is written so far holds."""

    test: Callable[[Message], bool]
    block: Block

    def present(self, version: int) -> bool:
        """Whether the block can exist at a server version."""
        return self.block.present(version)

    def read(self, fields: Fields, message: Message, version: int) -> None:
        """Reads the block if the condition holds."""
        if self.test(message):
            self.block.read(fields, message, version)

    def write(self, out: Out, message: Message, version: int) -> None:
        """Appends the block if the condition holds."""
        if self.test(message):
            self.block.write(out, message, version)


@attrs.frozen(kw_only=True, eq=False)
class Repeat:
    """A count and that many elements of a repeated field, each a block, or a plain value without one."""

    path: tuple[str, ...]
    block: Block | None = None
    kind: Kind = KINDS["s"]
    since: int = 0

    def present(self, version: int) -> bool:
        """Whether the list exists at a server version."""
        return version >= self.since

    def read(self, fields: Fields, message: Message, version: int) -> None:
        """Reads the count and the elements."""
        elements = _owner(message, self.path)
        for _ in range(fields.count()):
            if self.block is None:
                elements.append(self.kind.read(fields.take()))
            else:
                self.block.read(fields, elements.add(), version)

    def write(self, out: Out, message: Message, version: int) -> None:
        """Appends the count and the elements."""
        elements = _owner(message, self.path)
        out.append(str(len(elements)))
        for element in elements:
            if self.block is None:
                out.append(self.kind.write(element))
            else:
                out += written(self.block, element, version)


@attrs.frozen(kw_only=True, eq=False)
class Tags:
    """A count and that many tag and value pairs of a map."""

    path: tuple[str, ...]

    def present(self, version: int) -> bool:
        """The list exists at every version."""
        return True

    def read(self, fields: Fields, message: Message, version: int) -> None:
        """Reads the count and the pairs."""
        tags = _owner(message, self.path)
        for _ in range(fields.count()):
            tag = fields.take()
            tags[tag] = fields.take()

    def write(self, out: Out, message: Message, version: int) -> None:
        """Appends the count and the pairs."""
        tags = _owner(message, self.path)
        out.append(str(len(tags)))
        for tag, value in tags.items():
            out += [tag, value]


@attrs.frozen(kw_only=True, eq=False)
class TagString:
    """A map written as one field `tag=value;tag=value;`."""

    path: tuple[str, ...]

    def present(self, version: int) -> bool:
        """The field exists at every version."""
        return True

    def read(self, fields: Fields, message: Message, version: int) -> None:
        """Reads the pairs; what has no equals sign is ignored as the gateway does."""
        tags = _owner(message, self.path)
        for pair in fields.take().split(";"):
            tag, equals, value = pair.partition("=")
            if equals:
                tags[tag] = value

    def write(self, out: Out, message: Message, version: int) -> None:
        """Appends the pairs as one field."""
        out.append("".join(f"{tag}={value};" for tag, value in _owner(message, self.path).items()))


@attrs.frozen(kw_only=True, eq=False)
class Maybe:
    """A flag and, if it is set, the block of an optional sub-message."""

    owner: tuple[str, ...]
    name: str
    block: Block

    def present(self, version: int) -> bool:
        """The flag exists at every version."""
        return True

    def read(self, fields: Fields, message: Message, version: int) -> None:
        """Reads the flag and the block."""
        if fields.take() == "1":
            self.block.read(fields, getattr(_owner(message, self.owner), self.name), version)

    def write(self, out: Out, message: Message, version: int) -> None:
        """Appends the flag and the block."""
        owner = _owner(message, self.owner)
        there = owner.HasField(self.name)
        out.append(str(int(there)))
        if there:
            out += written(self.block, getattr(owner, self.name), version)


def written(table: Block, message: Message, version: int) -> Out:
    """The fields of a message by its table."""
    out = Out(message)
    table.write(out, message, version)
    return out


def block(*parts: str | Item, prefix: str = "", since: int = 0, below: int = FOREVER) -> Block:
    """A block from words and items; `prefix` is the path in front of every word's path."""
    return Block(items=tuple(_items(parts, prefix)), since=since, below=below)


def when(test: Callable[[Message], bool], *parts: str | Item, prefix: str = "", since: int = 0) -> When:
    """A conditional block."""
    return When(test=test, block=block(*parts, prefix=prefix, since=since))


def repeat(path: str, *parts: str | Item, since: int = 0) -> Repeat:
    """A counted list of blocks."""
    return Repeat(path=tuple(path.split(".")), block=block(*parts), since=since)


def values(path: str, kind: str, *, since: int = 0) -> Repeat:
    """A counted list of plain values."""
    return Repeat(path=tuple(path.split(".")), kind=KINDS[kind], since=since)


def tags(path: str) -> Tags:
    """A counted list of tag and value pairs."""
    return Tags(path=tuple(path.split(".")))


def tag_string(path: str) -> TagString:
    """A map in one field."""
    return TagString(path=tuple(path.split(".")))


def maybe(path: str, *parts: str | Item) -> Maybe:
    """A flagged sub-message."""
    *owner, name = path.split(".")
    return Maybe(owner=tuple(owner), name=name, block=block(*parts))


def _items(parts: Iterable[str | Item], prefix: str) -> Iterator[Item]:
    for part in parts:
        if isinstance(part, str):
            yield from (_field(word, prefix) for word in part.split())
        else:
            yield part


def _field(word: str, prefix: str) -> Field:
    match = _WORD.match(word)
    if match is None:
        raise FieldError(f"{word!r} is not a word of a table")
    since, below = int(match["since"] or 0), int(match["below"] or FOREVER)
    if match["path"] is None:
        return Field(constant=match["constant"], since=since, below=below)
    *owner, name = (prefix + match["path"]).split(".")
    return Field(owner=tuple(owner), name=name, kind=KINDS[match["kind"]], since=since, below=below)
