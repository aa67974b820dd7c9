"""Real servers as child processes, and the far ends they talk to; each in one folder."""
