"""The command line. Heavy imports stand inside the commands, so that ``--help`` is quick."""

from __future__ import annotations

from typing import Any

import click

from simulator.cli import look, run, sweep
from simulator.exit import open_streams, sentences


class _Commands(click.Group):
    """Commands that end with a sentence, whatever happens: also while their help is printed."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run a command line."""
        open_streams()
        with sentences():
            return super().main(*args, **options)

    def invoke(self, context: click.Context) -> Any:
        """Run the command that was found; click has words of its own for what leaves this."""
        with sentences():
            return super().invoke(context)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="equifleet")
def main() -> None:
    """Simulate a fleet of data centres that serve AI inference, and see what equity costs.

    SCENARIO is a YAML file or the name of a shipped one (table1, mmc, ...). Exit status: 0 done,
    1 failed while running, 2 bad input.
    """


for command in (run.run, sweep.sweep, sweep.study, look.report, look.validate, look.show, look.schema, look.policies):
    main.add_command(command)
main.add_command(look.new)
