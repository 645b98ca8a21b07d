"""The kernel's own record of a trading engine: each order is in the journal, or on the platter, before the wire."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from tests.torture.engine import command, write_config
from tests.torture.gateway import ROOT, GatewayProcess
from tests.torture.judging import WIRE_LOG

_CALL = re.compile(r"(?P<name>\w+)\((?:\d+<(?P<path>[^>]*)>)?(?P<rest>.*)", re.DOTALL)
ENOUGH = 20
_ORDER = re.compile(r"busy-(?:own-)?\w*\d+")
_TRACE = ("strace", "-D", "-f", "-y", "-s", "70000", "-e", "trace=write,fdatasync,fsync,sendto", "-e", "signal=none")


def _can_trace() -> bool:
    return shutil.which("strace") is not None and subprocess.run(["strace", "-V"], capture_output=True).returncode == 0


@attrs.frozen(kw_only=True)
class Call:
    """A system call that has ended, or a send that begins."""

    name: str
    path: str
    rest: str


def calls(trace: Path) -> Iterator[Call]:
    """Sends when they begin, everything else when it is done."""
    begun: dict[str, str] = {}
    for line in trace.read_text(encoding="latin-1").splitlines():
        thread, _, text = line.partition(" ")
        text = text.strip()
        if text.startswith("<... "):
            text = begun.pop(thread, "") + text.partition("resumed>")[2]
            if text.startswith("sendto"):
                continue
        elif text.endswith("<unfinished ...>") and not text.startswith("sendto"):
            begun[thread] = text.removesuffix("<unfinished ...>")
            continue
        found = _CALL.match(text)
        if found is not None:
            yield Call(name=found["name"], path=found["path"] or "", rest=found["rest"])


def orders_on_the_wire(trace: Path) -> list[tuple[str, str]]:
    """Each order that was sent for the first time, with where its record was then: nowhere, written, synced."""
    records: dict[str, str] = {}
    sent: dict[str, str] = {}
    for call in calls(trace):
        if call.name == "write" and call.path.endswith(".journal"):
            for oms_id in set(_ORDER.findall(call.rest)):
                records.setdefault(oms_id, "written")
        elif call.name in ("fdatasync", "fsync") and call.path.endswith(".journal"):
            records = dict.fromkeys(records, "synced")
        elif call.name == "sendto":
            for oms_id in set(_ORDER.findall(call.rest)):
                sent.setdefault(oms_id, records.get(oms_id, "nowhere"))
    return list(sent.items())


def traded(folder: Path, durability: str) -> list[tuple[str, str]]:
    """What the kernel saw of an engine that traded for a while and was stopped."""
    trace = folder / "trace.txt"
    with GatewayProcess(folder / WIRE_LOG) as gateway:
        config = write_config(folder, gateway.port, trading=True)
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace("[trading]", f'[trading]\ndurability = "{durability}"'), encoding="utf-8")
        engine = subprocess.Popen([*_TRACE, "-o", str(trace), *command(config, folder / "state")], cwd=ROOT)
        try:
            while engine.poll() is None and (not trace.exists() or len(orders_on_the_wire(trace)) < ENOUGH):
                with pytest.raises(subprocess.TimeoutExpired):
                    engine.wait(1.0)
        finally:
            engine.terminate()
            engine.wait(30)
    return orders_on_the_wire(trace)


@pytest.mark.slow
@pytest.mark.socket
@pytest.mark.timeout(120)
@pytest.mark.skipif(not _can_trace(), reason="needs strace")
@pytest.mark.parametrize(("durability", "promised"), [("power", {"synced"}), ("process", {"written", "synced"})])
def test_an_order_is_in_the_journal_before_it_is_on_the_wire(
    tmp_path: Path, durability: str, promised: set[str]
) -> None:
    orders = traded(tmp_path, durability)

    assert len(orders) >= ENOUGH
    assert {where for _, where in orders} <= promised
