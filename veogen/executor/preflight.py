"""A free look at the gateway before anything is sent: is it there, may the key use the models."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from veogen.errors import ExitCode, VeogenError
from veogen.executor import backoff
from veogen.executor.clock import Clock
from veogen.executor.life import Stop
from veogen.gateway.answers import Gateway, Unread
from veogen.results.manifest import GatewayName


class SilentGatewayError(VeogenError):
    """Nothing answered for a minute; nothing was sent."""

    exit_code = ExitCode.STOPPED


@dataclass(frozen=True, slots=True)
class Preflight:
    """Whether it is the gateway or a simulator, and a reason to buy nothing, if there is one."""

    gateway_name: GatewayName
    stop: Stop | None = None


def preflight(
    gateway: Gateway,
    models: Collection[str],
    *,
    clock: Clock,
    chance: backoff.Chance,
    silence: float,
    say: Callable[[str], None],
) -> Preflight:
    """Ask for the models of the key; raises `SilentGatewayError` when nothing answers.

    The endpoint is in no public document: an answer without a list proves nothing, nor does 403,
    which a key that may buy could get here; if it may not, that is what the first submit is told.
    """
    answer = _answered(gateway, clock, chance, silence, say)
    name: GatewayName = "simulated" if gateway.simulated else "evolink"
    return Preflight(name, _reason(answer, models))


def _answered(
    gateway: Gateway,
    clock: Clock,
    chance: backoff.Chance,
    silence: float,
    say: Callable[[str], None],
) -> frozenset[str] | Unread:
    began, tries = clock.monotonic(), 0
    while True:
        answer = gateway.models()
        if not (isinstance(answer, Unread) and not answer.reached):
            return answer
        tries += 1
        if tries == 1:
            say(f"the gateway does not answer ({answer.message}); trying for {silence:.0f} s")
        left = began + silence - clock.monotonic()
        if left <= 0:
            raise SilentGatewayError(
                f"the gateway has not answered for {silence:.0f} s ({answer.message}); "
                "nothing was sent"
            )
        clock.sleep(min(left, backoff.wait(min(tries, 4), chance)))


def _reason(answer: frozenset[str] | Unread, models: Collection[str]) -> Stop | None:
    match answer:
        case Unread(status=401):
            return Stop("refused", f"{answer.message} ({answer.code}); nothing was sent")
        case frozenset() if answer:
            missing = sorted(set(models) - answer)
            if missing:
                return Stop("model", f"the key may not use {', '.join(missing)}; nothing was sent")
            return None
        case _:
            return None
