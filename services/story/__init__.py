"""The story of `make run`: published ledgers of 2020-2022 played through the real ports."""
