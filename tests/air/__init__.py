"""What the shipped air pack and the anomaly conditions make of four years of hourly air data."""
