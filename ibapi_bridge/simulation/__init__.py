"""The simulated exchange without sockets: captures of simulated sessions, and backtests on recorded days."""
