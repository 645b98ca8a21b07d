"""Pure values and functions: no clock, log, thread, queue, file, Pykka, ibapi or randomness."""
