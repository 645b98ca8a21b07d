"""One statement of the broker on its way to a report."""

from collections.abc import Mapping
from datetime import datetime

import attrs

from actors.domain.identity import Epoch
from ibapi_bridge.conversation import Conversation
from ibapi_bridge.quotes import QuoteFold


@attrs.frozen(kw_only=True)
class Spoken:
    """A callback's arguments with when, on which connection and in which conversation they were said."""

    at: datetime
    epoch: Epoch
    context: Conversation
    args: Mapping[str, object]

    def quote_fold(self) -> QuoteFold | None:
        """The stream a tick belongs to; None for one we do not (or no longer) follow."""
        request_id = self.args.get("reqId")
        asked = self.context.asked.get(request_id) if isinstance(request_id, int) else None
        return asked if isinstance(asked, QuoteFold) else None
