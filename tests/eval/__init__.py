"""How good the anomaly conditions are on labelled series: `python -m tests.eval PATH`."""
