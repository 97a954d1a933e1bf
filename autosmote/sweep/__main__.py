"""python -m autosmote.sweep"""

import sys

from autosmote.sweep.command import main

if __name__ == "__main__":
    sys.exit(main())
