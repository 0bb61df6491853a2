"""The command line ``nxp2``: one module for each kind of command, and how all of them speak to a person."""

from nxp2lib.cli.app import app, main

__all__ = ["app", "main"]
