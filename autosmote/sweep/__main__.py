"""python -m autosmote.sweep"""

from autosmote.config.commandline import end_process
from autosmote.sweep.command import main

if __name__ == "__main__":
    end_process(main)
