"""Thousands of adversarial sessions for a strategy, in virtual time, and the smallest one that breaks it."""
