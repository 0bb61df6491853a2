"""Make ``python -m nxp2lib`` the same as ``nxp2``."""

from nxp2lib.cli import main

if __name__ == "__main__":
    main()
