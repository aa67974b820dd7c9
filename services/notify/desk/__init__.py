"""The desk: what notify remembers, in SQL. Its file is notify's own; nobody else reads it."""
