"""What ingest and the backtest must agree on: how a report is read and judged."""
