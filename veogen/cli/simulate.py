"""`veogen simulate`: serve the simulator until interrupted."""

import asyncio
import shlex
import signal
from pathlib import Path

import click

from veogen.simulator import scenario
from veogen.simulator.scenario import Options


def serve(faults: Path | None, *, host: str, port: int, generation_time: float, seed: int) -> None:
    """Serve, and print the environment that makes a client use it; the audit at the end."""
    options = scenario.options(
        faults, host=host, port=port, generation_time=generation_time, seed=seed
    )
    asyncio.run(_serve(options))


async def _serve(options: Options) -> None:
    from veogen.simulator.account import summary  # noqa: PLC0415 - dear
    from veogen.simulator.server import serving  # noqa: PLC0415

    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with serving(options) as simulator:
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
