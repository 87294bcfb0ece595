"""The browser tabs of a view: the first one steers, the others watch, and a tab that leaves lets go of everything."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from easel.viewer.imgui.events import Event, FilesDropped, KeyChanged, PointerButton
from easel.viewer.imgui.questions import Dialog, Question
from easel.viewer.remote.protocol import Answer, Message, ProtocolError, Seen, Steer, Visible, parse
from easel.viewer.remote.tab import Tab
from easel.viewer.remote.transfers import Transfers

log = logging.getLogger("easel")

Call = Callable[[Callable[[], object]], None]
"""Runs a function on the server's thread."""


class Clients:
    """All tabs of one view. Its methods may touch tabs on the server's thread only, which `call` reaches."""

    def __init__(self, title: str, call: Call) -> None:
        self.activity = threading.Event()
        """Set when something came from a tab."""
        self.transfers = Transfers()
        self.tabs: list[Tab] = []
        """The first one steers."""
        self._title, self._call = title, call
        self._lock = threading.Lock()
        self._events: deque[Message] = deque()
        self._down: dict[Event, None] = {}
        """The events that release the keys and buttons which the steering tab holds down, in order."""
        self._questions: dict[int, Question] = {}
        self._answers: dict[int, str] = {}
        self._asked = 0
        # Kept, so that a tab that takes over can be told.
        self._cursor = "default"

    # On the view's thread

    def take(self) -> list[Message]:
        """Return the messages of the steering tab since the last call."""
        with self._lock:
            return [self._events.popleft() for _ in range(len(self._events))]

    def waits_for(self, number: int) -> bool:
        """Return True if a visible tab was sent picture `number` and can take another."""
        with self._lock:
            return any(tab.ready and tab.number == number for tab in self.tabs)

    @property
    def watched(self) -> bool:
        """True while a tab is open and in sight."""
        with self._lock:
            return any(tab.visible for tab in self.tabs)

    def send(self, **message: Any) -> None:
        """Send a message to the steering tab, such as a text for its clipboard."""
        # The tabs are read on the server's thread, when the message is sent: by then another one may steer.
        self._call(lambda: [tab.send(**message) for tab in self.tabs[:1]])

    def set_cursor(self, name: str) -> None:
        """Set the pointer's shape, by its name in CSS."""
        if name != self._cursor:
            self._cursor = name
            self.send(kind="cursor", name=name)

    def ask(self, question: Question) -> Dialog:
        """Ask the person at the steering tab for a file."""
        with self._lock:
            # Never used again: a late answer must not meet another question.
            self._asked += 1
            self._questions[self._asked] = question
            number = self._asked
        self._call(self._send_question)
        return RemoteDialog(self, number)

    def answer(self, number: int) -> str | None:
        """Return the answer to question `number`, once; None so far."""
        with self._lock:
            return self._answers.pop(number, None)

    def retract(self, number: int) -> None:
        """Withdraw question `number`."""
        with self._lock:
            self._questions.pop(number, None)
            self._answers.pop(number, None)
        self._call(self._send_question)

    def hand_out(self, path: Path) -> None:
        """Offer the steering tab a file to download."""
        self.send(kind="download", id=self.transfers.offer(path), name=path.name)

    def hand_out_arrived(self) -> None:
        """Offer the files that the program has saved, under names that were asked for, since the last call."""
        for number, path in self.transfers.arrived():
            self.send(kind="download", id=number, name=path.name)

    # On the server's thread

    def join(self, tab: Tab) -> None:
        """Add a tab."""
        with self._lock:
            self.tabs.append(tab)
        self._send_roles()

    def leave(self, tab: Tab) -> None:
        """Remove a tab; the next one steers if it did."""
        with self._lock:
            if self.tabs[0] is tab:
                self._release_held()
            self.tabs.remove(tab)
        self._send_roles()

    def receive_message(self, tab: Tab, text: str) -> None:
        """Act on a message of `tab`. An invalid one has no effect, nor has input of a tab that only watches."""
        try:
            message = parse(text)
        except ProtocolError as error:
            log.debug("a browser tab sent a message that is none: %s", error)
            return
        steers = self.tabs[0] is tab
        match message:
            case Seen():
                tab.acknowledge()
                self.activity.set()
            case Visible(on):
                tab.visible = on
                tab.wake()
                self.activity.set()
            case Steer():
                with self._lock:
                    # Whoever takes over must not find a button held that nobody will release.
                    self._release_held()
                    self.tabs.remove(tab)
                    self.tabs.insert(0, tab)
                self._send_roles()
            case Answer(number, name) if steers:
                question = self._questions.get(number)
                # A name saves under it; opening is answered by an upload, and an empty name gives up either.
                if question is not None and (not name or question.save):
                    self.settle(number, name and str(self.transfers.expect(question.complete(name))))
            case _ if steers:
                self.post(message)

    def post(self, message: Message) -> None:
        """Hand a message on to the view."""
        with self._lock:
            if isinstance(message, PointerButton | KeyChanged):
                release = replace(message, down=False)
                if message.down:
                    self._down[release] = None
                else:
                    self._down.pop(release, None)
            # Even one that changes nothing: the view decides what it means.
            self._events.append(message)
        self.activity.set()

    def receive_file(self, path: Path, number: int) -> None:
        """Take an uploaded file: the answer to question `number`, or dropped on the view if that is 0."""
        if number:
            self.settle(number, str(path))
        else:
            self.post(FilesDropped((str(path),)))

    def settle(self, number: int, path: str) -> None:
        """Answer question `number`; one that is answered or withdrawn already stays so."""
        with self._lock:
            # Once: a file may be uploaded after the question was withdrawn.
            if self._questions.pop(number, None) is not None:
                self._answers[number] = path
        self.activity.set()
        self._send_question()

    def wake(self) -> None:
        """Tell all tabs that there is a new picture."""
        for tab in self.tabs:
            tab.wake()

    def dismiss(self) -> None:
        """Tell all tabs that the view is closed."""
        for tab in self.tabs:
            tab.send(kind="closed")

    def _release_held(self) -> None:
        """Release all that the steering tab holds down: it is no longer there to do it."""
        # In the order in which they went down.
        self._events.extend(self._down)
        self._down.clear()
        self.activity.set()

    def _send_roles(self) -> None:
        """Tell every tab its role; the one that steers answers with its size."""
        for tab in self.tabs:
            tab.send(kind="hello", steers=tab is self.tabs[0], title=self._title)
        for tab in self.tabs[:1]:
            tab.send(kind="cursor", name=self._cursor)
        self._send_question()
        self.activity.set()

    def _send_question(self) -> None:
        """Show the steering tab the oldest open question, or that there is none."""
        # 0 closes a question that is answered or withdrawn.
        message: dict[str, Any] = {"kind": "ask", "id": 0}
        for number, question in list(self._questions.items())[:1]:
            name = f"untitled{question.default_extension}" if question.save else ""
            message |= {"id": number, "title": question.title, "accept": _accepted(question)}
            message |= {"save": question.save, "name": name}
        for tab in self.tabs[:1]:
            tab.send(**message)


@dataclass(frozen=True)
class RemoteDialog(Dialog):
    """A question that a browser tab shows."""

    clients: Clients
    number: int

    def poll(self) -> str | None:
        return self.clients.answer(self.number)

    def close(self) -> None:
        self.clients.retract(self.number)


def _accepted(question: Question) -> str:
    """Return the question's filters in HTML's form, ".png,.jpg"; "" if any file will do."""
    patterns = [pattern for _, patterns in question.filters for pattern in patterns.split()]
    extensions = sorted({f".{pattern.rpartition('.')[2]}" for pattern in patterns})
    # "*.*" among the filters admits any file.
    return "" if ".*" in extensions else ",".join(extensions)
