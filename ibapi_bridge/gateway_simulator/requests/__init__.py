"""What a client may ask: one function per request, each `(gateway, session, message) -> None`."""
