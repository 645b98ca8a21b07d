"""Named misbehaviours of a gateway: switches that are armed, and things that happen at once.

Rules look at messages on their way out or requests on their way in; actions change the gateway itself.
"""
