"""Notify over HTTP: JSON for programs, the page for people, callbacks for gateways."""
