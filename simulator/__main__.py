"""``python -m simulator`` is the command ``equifleet``."""

from simulator.cli import main

if __name__ == "__main__":
    main(prog_name="equifleet")
