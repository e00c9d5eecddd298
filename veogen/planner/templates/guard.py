"""A guard over templates that can do anything: they are rendered where they can be stopped."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from veogen.planner.templates.prison import Died, Prison, Task
from veogen.planner.templates.source import Fault, Source
from veogen.planner.templates.work import TOO_MUCH_MEMORY


class Guard:
    """Renders templates in a process that is started when first needed and kept for more.

    `load` gives the text of a file below `templates/`. A template that had to be stopped once
    is not tried again: all its requests have the same fault.
    """

    def __init__(self, load: Callable[[str], str | None]) -> None:
        self._load = load
        self._prison: Prison | None = None
        self._stopped: dict[Source, Fault] = {}

    def start(self) -> Prison:
        """The process, started if need be; it gets ready while others work."""
        if self._prison is None:
            self._prison = Prison(self._load)
        return self._prison

    def close(self) -> None:
        if self._prison is not None:
            self._prison.close()
            self._prison = None

    def render(self, tasks: Iterable[Task]) -> Iterator[str | Fault]:
        """The text of each task, or why there is none, in order."""
        rest = deque(tasks)
        while rest:
            yield from self._until_stopped(rest)

    def _until_stopped(self, rest: deque[Task]) -> Iterator[str | Fault]:
        """Take tasks off `rest` until there are none or the process is gone."""
        prison = self.start()
        prison.send([task for task in rest if task[0] not in self._stopped])
        while rest:
            source = rest[0][0]
            known = self._stopped.get(source)
            result = prison.result() if known is None else known
            if isinstance(result, Died):
                # Where it had work before, that may be to blame: then it is tried once more.
                if result.stopped or not prison.answered:
                    self._stopped[source] = result.fault
                return self.close()
            rest.popleft()
            yield result
            if result == TOO_MUCH_MEMORY and known is None:
                self._stopped[source] = TOO_MUCH_MEMORY
                return self.close()  # what it left behind is nothing to go on with
        return None
