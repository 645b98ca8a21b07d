"""The classic text codec: NUL-terminated fields whose presence depends on the server version.

Each message has one layout, a table that serves reading and writing alike.
"""
