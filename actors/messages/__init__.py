"""Frozen values that cross threads: commands, reports, events, wire commands, system messages."""
