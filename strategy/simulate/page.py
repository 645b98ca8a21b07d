"""A campaign as one HTML file without anything from elsewhere: figures, distributions, what was visited, stories."""

from collections import Counter
from html import escape
from pathlib import Path

from strategy.simulate.tally import DRAWDOWN_STEP, PNL_STEP, SLIPPAGE_STEP, Tally

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2733;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem;border-bottom:1px solid #d5dde5}
table{border-collapse:collapse}td,th{padding:.15rem .8rem .15rem 0;text-align:left}td.n{text-align:right}
pre{background:#f4f6f8;padding:.8rem;overflow-x:auto;font-size:13px}.bad{color:#b3261e}.good{color:#1a7f37}
svg{background:#f8fafb;border:1px solid #e3e9ee}
"""
_WIDTH, _HEIGHT, _MOST_BARS = 720, 140, 60


def write_page(path: Path, *, title: str, tally: Tally, stories: dict[str, str]) -> None:
    """Write the page."""
    path.write_text(page(title=title, tally=tally, stories=stories), encoding="utf-8")


def page(*, title: str, tally: Tally, stories: dict[str, str]) -> str:
    """The page as text."""
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>",
        _summary(tally),
        *(_told(name, story) for name, story in stories.items()),
        _chart("Profit and loss of a session, USD", tally.pnl, float(PNL_STEP)),
        _chart("Largest drawdown of a session, USD", tally.drawdown, float(DRAWDOWN_STEP)),
        _chart("Slippage a share against the middle, USD", tally.slippage, float(SLIPPAGE_STEP)),
        _extremes(tally),
        _visited(tally),
        "</body></html>\n",
    ]
    return "\n".join(parts)


def _summary(tally: Tally) -> str:
    verdict = (
        "<p class='good'>Every property held in every session.</p>"
        if not tally.failures
        else f"<p class='bad'>Broken: {escape(', '.join(tally.failures))}.</p>"
    )
    rows = (("sessions", tally.sessions), ("orders", tally.orders), ("fills", tally.fills))
    return verdict + _table([(name, f"{count:,}") for name, count in rows])


def _told(name: str, story: str) -> str:
    return f"<h2 class='bad'>{escape(name)}</h2><pre>{escape(story)}</pre>"


def _table(rows: list[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><td>{escape(name)}</td><td class='n'>{escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{cells}</table>"


def _chart(title: str, classes: Counter[int], step: float) -> str:
    """Bars over classes of equal width; wide distributions are put into fewer."""
    if not classes:
        return f"<h2>{escape(title)}</h2><p>Nothing filled.</p>"
    low, high = min(classes), max(classes)
    width = max((high - low) // _MOST_BARS + 1, 1)
    bars = Counter[int]()
    for place, count in classes.items():
        bars[(place - low) // width] += count
    number, most = (high - low) // width + 1, max(bars.values())
    wide = _WIDTH / number
    drawn = "".join(
        f"<rect x='{place * wide:.1f}' y='{_HEIGHT - _HEIGHT * count / most:.1f}' width='{max(wide - 1, 1):.1f}' "
        f"height='{_HEIGHT * count / most:.1f}' fill='#3a6ea5'><title>{_from_to(low + place * width, width, step)}: "
        f"{count:,}</title></rect>"
        for place, count in sorted(bars.items())
    )
    ends = f"from {low * step:,.3f} to {(high + 1) * step:,.3f}, {number} classes of {width * step:,.3f}"
    return (
        f"<h2>{escape(title)}</h2><svg viewBox='0 0 {_WIDTH} {_HEIGHT}' width='{_WIDTH}' height='{_HEIGHT}' "
        f"role='img' aria-label='{escape(title)}'>{drawn}</svg><p>{ends}</p>"
    )


def _from_to(place: int, width: int, step: float) -> str:
    return f"{place * step:,.3f} to {(place + width) * step:,.3f}"


def _extremes(tally: Tally) -> str:
    rows = [(name, f"{extreme.value:,.2f} (session {extreme.index})") for name, extreme in tally.extremes.items()]
    return "<h2>Nearest to trouble</h2>" + _table(rows)


def _visited(tally: Tally) -> str:
    rows = [(name, f"{count:,}") for name, count in sorted(tally.counts.items())]
    return "<h2>Visited</h2>" + _table(rows)
