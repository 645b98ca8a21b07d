"""The layers hold: imports point inwards, one clock, no asks, sizes within bounds."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("actors", "ibapi_bridge", "strategy")
PURE_MODULES = {
    "abc", "bisect", "collections", "contextlib", "datetime", "decimal", "enum", "fractions", "functools", "hashlib",
    "heapq", "itertools", "math", "operator", "re", "types", "typing", "zoneinfo", "attrs", "__future__",
}  # fmt: skip
CLOCK_READS = {("datetime", "now"), ("datetime", "utcnow"), ("date", "today"), ("datetime", "today")} | {
    ("time", name) for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns")
}
CLOCK_MODULES = {"actors/clock.py", "ibapi_bridge/gateway_simulator/clock.py"}


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


def top(module: str) -> str:
    return module.split(".")[0]


@pytest.mark.parametrize("path", sources("actors/domain"), ids=relative)
def test_the_domain_imports_values_only(path: Path) -> None:
    outward = {
        module
        for module in imports(path)
        if top(module) not in PURE_MODULES
        and not module.startswith("actors.domain")
        and not module.startswith("actors.messages")
    }
    assert outward == set()


@pytest.mark.parametrize("path", sources("actors/messages"), ids=relative)
def test_messages_import_the_domain_and_values_only(path: Path) -> None:
    outward = {module for module in imports(path) if top(module) not in PURE_MODULES and top(module) != "actors"}
    assert outward == set()
    assert all(
        module.startswith(("actors.domain", "actors.messages")) for module in imports(path) if top(module) == "actors"
    )


@pytest.mark.parametrize("path", sources("actors"), ids=relative)
def test_the_engine_knows_no_bridge_and_no_strategy(path: Path) -> None:
    assert {top(module) for module in imports(path)} & {"ibapi_bridge", "strategy", "run"} == set()


@pytest.mark.parametrize("path", sources("strategy"), ids=relative)
def test_what_a_user_touches_knows_no_broker(path: Path) -> None:
    assert {top(module) for module in imports(path)} & {"ibapi_bridge", "ibapi", "pykka"} == set()


@pytest.mark.parametrize("path", sources("ibapi_bridge/gateway_simulator"), ids=relative)
def test_the_gateway_simulator_knows_neither_engine_nor_strategy(path: Path) -> None:
    assert {top(module) for module in imports(path)} & {"actors", "strategy", "run", "pykka"} == set()


@pytest.mark.parametrize("path", [*sources("actors", "strategy"), ROOT / "run.py"], ids=relative)
def test_only_the_bridge_imports_the_official_client(path: Path) -> None:
    assert "ibapi" not in {top(module) for module in imports(path)}


@pytest.mark.parametrize("path", sources(*PACKAGES), ids=relative)
def test_only_the_actor_base_imports_pykka(path: Path) -> None:
    if relative(path) != "actors/base.py":
        assert "pykka" not in {top(module) for module in imports(path)}


def calls(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.value.id, node.attr


@pytest.mark.parametrize("path", [*sources(*PACKAGES), ROOT / "run.py"], ids=relative)
def test_the_clock_is_read_in_the_clock_module_only(path: Path) -> None:
    if relative(path) not in CLOCK_MODULES:
        assert set(calls(path)) & CLOCK_READS == set()


def asked(path: Path) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "ask"
    ]


@pytest.mark.parametrize("path", sources(*PACKAGES), ids=relative)
def test_no_actor_asks(path: Path) -> None:
    if relative(path) != "actors/base.py":
        assert asked(path) == []


@pytest.mark.parametrize("path", [*sources(*PACKAGES), ROOT / "run.py"], ids=relative)
def test_modules_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 450, "could a responsibility move out?"
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None
        if node.end_lineno - node.lineno + 1 > 75
    ]
    assert long == []
