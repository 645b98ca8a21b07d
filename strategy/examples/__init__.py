"""Readable strategies to start from."""
