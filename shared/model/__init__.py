"""Values that services exchange: frozen, with units in their names, and the wire at once."""
