"""The schema of the configuration directory: pydantic, strict; a file for each idea.

What a single value may look like stands in `shared.config.scalars`; what values mean together in
`assemble`.
"""
