"""Lines in software, and the exchange and telephones behind them: for tests, rehearsals and the telephone page."""
