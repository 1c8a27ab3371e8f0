"""Events that somebody brings on a stick: only of kiosks that are known here, through the one way in."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from server.facts import projector, texts
from server.feed.intake import take
from server.registry.models import Device, Unit
from sync import ingest
from sync.beside import Message
from sync.importing import Imported, NotTaken
from sync.wire import Batch

FOLDS = 20
"""Words wait for their events: so many times a thousand of them are folded at once for a file of words."""


def outcome(file: Imported) -> str:
    """The short word for what became of a file, as [import] of the language files has it."""
    return file.why or ("words" if "texts" in file.answer else file.code)


def taken_in(files: Iterable[Imported]) -> Iterator[tuple[Unit, str]]:
    """What was taken in of each kiosk, as the audit of its commune tells it."""
    own: dict[str, list[Imported]] = {}
    for file in files:
        if file.answer:
            own.setdefault(file.device, []).append(file)
    for device in Device.objects.select_related("site__unit").filter(name__in=own):
        of_it = own[device.name]
        about = f"{device.name}: {sum(file.added for file in of_it)} new, {', '.join(file.name for file in of_it)}"
        yield device.site.unit, about


class Files:
    """An intake for the files of kiosks of one commune, or (`unit` None) of all. See `sync.importing.Intake`."""

    def __init__(self, now: datetime, unit: Unit | None = None) -> None:
        self._now, self._unit = now, unit
        self._devices: dict[str, Device] = {}

    def take(self, batch: Batch) -> ingest.Result:
        return take(self._device(batch.header.device), batch, self._now)

    def take_texts(self, message: Message) -> int:
        device = self._device(message.device)
        for _ in range(FOLDS):
            if not projector.project(self._now):
                break
        return texts.take(device, message, self._now).upto

    def _device(self, name: str) -> Device:
        """A kiosk of another commune is as unknown as one that nobody enrolled."""
        if name not in self._devices:
            known = Device.objects.select_related("site").filter(name=name)
            device = (known.filter(site__unit=self._unit) if self._unit else known).first()
            if device is None:
                raise NotTaken(name, "unknown", f"{name} is not known here: enter this kiosk first")
            if device.revoked:
                raise NotTaken(name, "revoked", f"{name} is shut out: give it a new code, or take its sticks again")
            self._devices[name] = device
        return self._devices[name]
