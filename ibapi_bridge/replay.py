"""``run.py replay``: captured conversations through the same core that trades."""

import argparse
import json
import sys
from pathlib import Path
from typing import Final

from rich.console import Console

from ibapi_bridge.replay_driver import Replay
from ibapi_bridge.replay_report import Row, report, show
from ibapi_bridge.transcript import Transcript, TranscriptError, read_transcript

_WIDTH: Final = 160
"""Columns of the tables where no terminal tells them."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of ``replay``."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="a capture (JSON lines, see docs/captures.md)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a file instead of tables")


def main(args: argparse.Namespace) -> int:
    """Replay every file, in the order given; exit code 2 with one sentence when one cannot be read."""
    try:
        transcripts = [read_transcript(Path(file)) for file in args.files]
    except TranscriptError as problem:
        sys.stderr.write(f"callboard: {problem}\n")
        return 2
    for transcript in transcripts:
        _print(replayed(transcript), as_json=args.json)
        if transcript.note:
            sys.stderr.write(f"callboard: {transcript.note}\n")
    return 0


def replayed(transcript: Transcript) -> Row:
    """What one capture leads to."""
    replay = Replay(transcript.lines)
    for line in transcript.lines:
        replay.hear(line)
    replay.finish()
    return report(transcript.path, replay)


def _print(found: Row, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(found) + "\n")
    else:
        show(Console(width=None if sys.stdout.isatty() else _WIDTH), found)
