"""A run of the notebooks: planned, executed in kernels, recorded, so that the next one does only what has changed."""

from nxp2lib.run import parameters, record
from nxp2lib.run.execution import execute, write_manifest
from nxp2lib.run.kernels import Outcome
from nxp2lib.run.parameters import RunError, locate
from nxp2lib.run.planning import plan

__all__ = ["Outcome", "RunError", "execute", "locate", "parameters", "plan", "record", "write_manifest"]
