"""What a user of Callboard touches: the Strategy base class, BrokerAPI, configuration, log and reports."""
