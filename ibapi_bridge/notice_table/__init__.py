"""IBKR's notice codes as data: one frozen row a code, grouped by what they mean for an order."""
