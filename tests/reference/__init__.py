"""A slow, obvious evaluator of rules, written from the contract and not from the engine."""
