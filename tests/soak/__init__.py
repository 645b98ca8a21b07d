"""Weeks of trading days in minutes: one engine process lives through all of them."""
