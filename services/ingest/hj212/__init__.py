"""HJ 212, the protocol of China's pollution-source data loggers, without any I/O.

bytes -> `frame` -> `packet` -> `readings` -> candidates; `session` is the whole conversation.
Sources: HJ/T 212-2005 and HJ 212-2017 (clauses named where used); of HJ 212-2025 only what
two independent public implementations agree on.
"""
