"""The only code that talks to Interactive Brokers."""
