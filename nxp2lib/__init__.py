"""Helpers behind the notebooks on anti-NXP2 antibody-positive myositis."""

__version__ = "0.4.0"
