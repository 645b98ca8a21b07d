"""The only code that talks to Interactive Brokers; a second broker is a folder like this one.

One connection is one ``link.IbapiLink``. Its own thread runs down this list for everything that arrives:

- ``transport``   the socket: connect by a deadline, read, write what a sender had to leave, end
- ``framing``     bytes -> frames, whatever the segmentation
- ``listening``   frame -> callback name and arguments, by ``direct`` (protobuf as it is) or by the official decoder
                  (``client``, ``wrapper``); a frame that cannot be read is a report too
- ``inbound``     callback -> reports in the engine's words, with the open questions of ``conversation`` in mind;
                  ``inbound_*``, ``qualifying``, ``instruments``, ``quotes``, ``notices`` are its chapters and
                  ``figures``, ``times``, ``vocabulary``, ``redaction`` its dictionary

Requests go the other way on the thread of whoever sends: ``outbound`` (our commands as official objects), ``asking``
(what to ask, under one lock), ``client`` (the official encoder), ``transport``.

Beside the path: ``compatibility`` looks at the installed official client before the first connection, ``contracts``
keeps the instruments found out today, ``capture`` records a conversation and ``replay`` plays it back,
``gateway_simulator`` is the other side of the wire.
"""
