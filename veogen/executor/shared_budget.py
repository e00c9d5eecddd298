"""A budget that holds over all machines of a run: this process's part of it."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from veogen.executor.others import Afford, PieceTaken
from veogen.executor.transitions import Stop
from veogen.results.events import Event, SubmitIntended
from veogen.results.ledger import Ledger
from veogen.store.history import History, counted
from veogen.store.layout import AttemptId
from veogen.store.member import Member
from veogen.store.objects import StoreError

_ZERO = Decimal(0)
_LAST = 3
"""Refusals in a row after which there may be no money: after the first it is seen what others have
claimed, after the second what they wrote and left in checkpoints, and so what they have spent."""


class SharedBudget:
    """What this process's attempts cost or may cost, and the pieces that it took for them.

    What was bought without a claim, before there was this store, counts beside all pieces.
    """

    def __init__(self, member: Member, history: History, budget: Decimal, ledger: Ledger) -> None:
        self._member = member
        self._history = history
        self._allowance = member.allowance(budget)
        self._outside = sum(
            (
                purchase.counted or _ZERO
                for state in ledger.everything
                for purchase in state.record.purchases
                if history.owner(AttemptId(state.record.hash, purchase.attempt)) is None
            ),
            _ZERO,
        )
        self._amounts: dict[AttemptId, Decimal] = {}
        self._asking = False
        self._refused = False
        self._refusals = 0
        self.spent = _ZERO

    def intend(self, intents: Iterable[SubmitIntended]) -> None:
        """These are about to be claimed: they count."""
        for intent in intents:
            self._set(AttemptId(intent.hash, intent.attempt), intent.estimate or _ZERO)

    def count(self, of: AttemptId, event: Event) -> None:
        """Something happened to an attempt, that may tell what it costs."""
        if of in self._amounts:
            self._set(of, counted(self._amounts[of], [event]))

    def _set(self, of: AttemptId, amount: Decimal) -> None:
        self.spent += amount - self._amounts.get(of, _ZERO)
        self._amounts[of] = amount

    def affords(
        self,
        price: Decimal,
        under_way: Decimal,
        following: Sequence[Decimal],
        start: Callable[[Callable[[], PieceTaken]], None],
    ) -> Afford:
        """Whether this process's piece covers a request; else another one is asked for.

        `under_way` is what is about to be sent, or may cost more than was counted. While a piece is
        asked for nothing is granted: what is left of the piece may go back.
        """
        if self._asking:
            return Afford(granted=False, wait=True)
        spent = self.spent + under_way
        if self._allowance.has(price, spent=spent):
            return Afford(granted=True)
        if self._refused:
            # who was not looked at yet may live, and one that has a piece may give some back
            others_may_leave_some = self._refusals < _LAST or any(
                amount > self._history.spent_by(process) and not self._member.is_silent(process)
                for process, amount in list(self._member.chain.pieces.items())
                if process != self._member.identity.process
            )
            return Afford(granted=False, wait=others_may_leave_some)
        self._asking = True
        start(lambda: self._take_piece(price, spent, following))
        return Afford(granted=False, wait=True)

    def _take_piece(
        self, price: Decimal, spent: Decimal, following: Sequence[Decimal]
    ) -> PieceTaken:
        try:
            granted = self._allowance.covers(
                price,
                spent=spent,
                outside=self._outside,
                following=following,
                is_last=self._refusals + 1 >= _LAST,
            )
        except StoreError as error:
            return PieceTaken(granted=False, error=error)
        return PieceTaken(granted=granted)

    def silent_holders(self) -> list[str]:
        """The processes that are silent, and have money that comes back when they are closed."""
        return [
            process
            for process, amount in sorted(self._member.chain.pieces.items())
            if process != self._member.identity.process
            and self._member.is_silent(process)
            and amount > self._history.spent_by(process)
        ]

    def taken(self, message: PieceTaken) -> Stop | None:
        """What the answer comes to; a refused piece is asked for again when others were heard."""
        self._asking = False
        self._refused = not message.granted
        self._refusals = 0 if message.granted else self._refusals + 1
        return Stop("store", str(message.error)) if message.error else None

    def heard(self) -> None:
        """Others were looked at: they may have given something back."""
        self._refused = False

    @property
    def is_in_doubt(self) -> bool:
        """Whether a piece was refused, and it is not known yet that nobody leaves any."""
        return self._refused and self._refusals < _LAST

    @property
    def must_know_all(self) -> bool:
        """Whether it has to be known what the others have spent of their pieces."""
        return self._refused and self._refusals >= _LAST - 1

    @property
    def waits(self) -> bool:
        """Whether nothing can be bought until an answer comes, or news of others."""
        return self._asking or self._refused
