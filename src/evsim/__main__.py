"""`python -m evsim`: the command line."""

import sys

from evsim.cli import main

sys.exit(main())
