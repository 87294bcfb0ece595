"""Those who look at a view: the first tab steers, the others watch, and whoever leaves lets go of everything."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from easel.viewer.imgui.dialogs import Dialog, Question
from easel.viewer.imgui.events import Event, FilesDropped, KeyChanged, PointerButton
from easel.viewer.remote.protocol import Answer, Message, ProtocolError, Seen, Steer, Visible, parse
from easel.viewer.remote.tab import Tab
from easel.viewer.remote.transfers import Transfers

log = logging.getLogger("easel")

Call = Callable[[Callable[[], object]], None]
"""Runs a function on the server's thread."""


class Clients:
    """All tabs of one view. What its methods do to tabs happens on the server's thread, by `call`."""

    def __init__(self, title: str, call: Call) -> None:
        self.stirred = threading.Event()
        """Something came from a tab since this was cleared."""
        self.transfers = Transfers()
        self.tabs: list[Tab] = []
        """The first one steers."""
        self._title, self._call = title, call
        self._lock = threading.Lock()
        self._events: deque[Message] = deque()
        self._down: dict[Event, None] = {}
        """What undoes the keys and buttons that the steering tab holds down."""
        self._questions: dict[int, Question] = {}
        self._answers: dict[int, str] = {}
        self._asked = 0
        self._cursor = "default"

    # From the view's thread

    def take(self) -> list[Message]:
        """What came from the steering tab since the last call."""
        with self._lock:
            taken, self._events = list(self._events), deque()
        return taken

    def waits_for(self, number: int) -> bool:
        """Whether a tab is looking, was sent picture `number` and can take another."""
        with self._lock:
            return any(tab.ready and tab.number == number for tab in self.tabs)

    @property
    def watched(self) -> bool:
        """Somebody has a tab open and in sight."""
        with self._lock:
            return any(tab.visible for tab in self.tabs)

    def tell(self, **said: Any) -> None:
        """Say something to the steering tab, such as a text for its clipboard."""
        self._call(lambda: [tab.say(**said) for tab in self.tabs[:1]])

    def set_cursor(self, name: str) -> None:
        """The pointer's shape, as CSS calls it."""
        if name != self._cursor:
            self._cursor = name
            self.tell(kind="cursor", name=name)

    def ask(self, question: Question) -> Dialog:
        """Ask the person in front of the steering tab for a file."""
        with self._lock:
            self._asked += 1
            self._questions[self._asked] = question
            number = self._asked
        self._call(self._pose)
        return RemoteDialog(self, number)

    def answer(self, number: int) -> str | None:
        """What the person answered to question `number`; None so far."""
        with self._lock:
            return self._answers.pop(number, None)

    def retract(self, number: int) -> None:
        """Question `number` needs no answer any more."""
        with self._lock:
            self._questions.pop(number, None)
            self._answers.pop(number, None)
        self._call(self._pose)

    def hand_out(self, path: Path) -> None:
        """Give the steering tab a file to download."""
        self.tell(kind="download", id=self.transfers.offer(path), name=path.name)

    def hand_out_arrived(self) -> None:
        """The same with what the program has saved, under names that were asked for, since the last call."""
        for number, path in self.transfers.arrived():
            self.tell(kind="download", id=number, name=path.name)

    # On the server's thread

    def join(self, tab: Tab) -> None:
        with self._lock:
            self.tabs.append(tab)
        self._greet()

    def leave(self, tab: Tab) -> None:
        with self._lock:
            if self.tabs[0] is tab:
                self._let_go()
            self.tabs.remove(tab)
        self._greet()

    def hear(self, tab: Tab, text: str) -> None:
        """Act on a message of `tab`; one that is none does nothing."""
        try:
            message = parse(text)
        except ProtocolError as error:
            log.debug("a browser tab sent a message that is none: %s", error)
            return
        steers = self.tabs[0] is tab
        match message:
            case Seen():
                tab.saw()
                self.stirred.set()
            case Visible(on):
                tab.visible = on
                tab.wake()
                self.stirred.set()
            case Steer():
                with self._lock:
                    self._let_go()
                    self.tabs.remove(tab)
                    self.tabs.insert(0, tab)
                self._greet()
            case Answer(number, name) if steers:
                question = self._questions.get(number)
                if question is not None and (not name or question.save):
                    self.settle(number, name and str(self.transfers.expect(question.complete(name))))
            case _ if steers:
                self.post(message)

    def post(self, message: Message) -> None:
        """Hand something on to the view."""
        with self._lock:
            match message:
                case PointerButton(button, down):
                    self._hold(PointerButton(button, False), down)
                case KeyChanged(key, down):
                    self._hold(KeyChanged(key, False), down)
            self._events.append(message)
        self.stirred.set()

    def receive(self, path: Path, number: int) -> None:
        """A file was uploaded: for question `number`, or dropped where that is 0."""
        if number:
            self.settle(number, str(path))
        else:
            self.post(FilesDropped((str(path),)))

    def settle(self, number: int, path: str) -> None:
        """Question `number` is answered; nothing happens where it is answered or retracted already."""
        with self._lock:
            if self._questions.pop(number, None) is not None:
                self._answers[number] = path
        self.stirred.set()
        self._pose()

    def wake(self) -> None:
        """There is a new picture."""
        for tab in self.tabs:
            tab.wake()

    def dismiss(self) -> None:
        """Tell all that it is over."""
        for tab in self.tabs:
            tab.say(kind="closed")

    def _hold(self, undoing: Event, down: bool) -> None:
        if down:
            self._down[undoing] = None
        else:
            self._down.pop(undoing, None)

    def _let_go(self) -> None:
        """Release all that the steering tab holds down: it is no longer there to do it."""
        self._events.extend(self._down)
        self._down.clear()
        self.stirred.set()

    def _greet(self) -> None:
        """Tell every tab its part; the one that steers answers with its size."""
        for tab in self.tabs:
            tab.say(kind="hello", steers=tab is self.tabs[0], title=self._title)
        for tab in self.tabs[:1]:
            tab.say(kind="cursor", name=self._cursor)
        self._pose()
        self.stirred.set()

    def _pose(self) -> None:
        """Show the steering tab the oldest open question, or that there is none."""
        for tab in self.tabs[:1]:
            for number, question in self._questions.items():
                name = f"untitled{question.default_extension}" if question.save else ""
                tab.say(
                    kind="ask",
                    id=number,
                    title=question.title,
                    accept=_accepted(question),
                    save=question.save,
                    name=name,
                )
                return
            tab.say(kind="ask", id=0)


class RemoteDialog(Dialog):
    """A question that a browser tab shows."""

    def __init__(self, clients: Clients, number: int) -> None:
        self._clients, self._number = clients, number

    def poll(self) -> str | None:
        return self._clients.answer(self._number)

    def close(self) -> None:
        self._clients.retract(self._number)


def _accepted(question: Question) -> str:
    """The question's filters as HTML takes them: ".png,.jpg"; "" where any file will do."""
    patterns = [pattern for _, patterns in question.filters for pattern in patterns.split()]
    extensions = sorted({f".{pattern.rpartition('.')[2]}" for pattern in patterns})
    return "" if ".*" in extensions else ",".join(extensions)
