"""What the HTTP services share: problems, limits, principals."""
