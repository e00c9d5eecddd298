"""`veogen simulate`: serve the simulator until interrupted."""

import asyncio
import shlex
import signal
from pathlib import Path

import click

from veogen.cli.options import SECONDS, examples
from veogen.simulator import scenario
from veogen.simulator.scenario import DEFAULT_GENERATION_TIME, GUIDE, Options


def _as_written(text: str) -> str:
    """Help that keeps its lines."""
    return "\n\n".join(f"\b\n{part}" for part in text.strip().split("\n\n"))


@click.command(
    "simulate",
    epilog="\n\n".join(
        [
            _as_written(GUIDE),
            examples(
                "veogen simulate --generation-time 2",
                "veogen simulate --port 8080 --faults faults.yaml",
            ),
        ]
    ),
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default="any free one",
    help="Port of the API; results come from another.",
)
@click.option(
    "--generation-time",
    type=SECONDS,
    default=DEFAULT_GENERATION_TIME,
    show_default=True,
    metavar="S",
    help="Median of the seconds that a task takes.",
)
@click.option(
    "--faults",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="What goes wrong, and the limits of the account.",
)
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Decides times, chances and clips: the same for the same requests.",
)
def command(host: str, port: int, generation_time: float, faults: Path | None, seed: int) -> None:
    """Serve the simulator until interrupted: no key, no network, no money.

    Prints the environment that makes veogen, or any client, use it. Any key is good.
    """
    told = scenario.options(
        faults, host=host, port=port, generation_time=generation_time, seed=seed
    )
    asyncio.run(_serve(told))


async def _serve(told: Options) -> None:
    from veogen.simulator.account import summary  # noqa: PLC0415 - dear
    from veogen.simulator.server import serving  # noqa: PLC0415

    ended = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    async with serving(told) as simulator:
        environment = {
            "EVOLINK_BASE_URL": simulator.base_url,
            "EVOLINK_FILES_URL": simulator.files_url,
            "EVOLINK_API_KEY": "sk-evo-simulated",
        }
        for variable, value in environment.items():
            click.echo(f"export {variable}={shlex.quote(value)}")
        click.echo(f"Serving; {simulator.base_url}/__audit tells what was seen.", err=True)
        await ended.wait()
        audit = simulator.audit()
    click.echo(summary(audit), err=True)
