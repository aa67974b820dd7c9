"""Speeds of the thread, each beside a limit measured in the same run: `make bench`."""
