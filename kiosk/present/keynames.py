"""What people call a key or a pin of this office: "phím gọi số, quầy 2" in place of `call:2`."""

from collections.abc import Sequence

from kiosk.present.words import Words

PLAIN = ("priority", "cancel", "language", "gpio", "keypad")
"""Actions without a service or counter, and what is named in place of all keys of a kind when none of it works."""


def key_name(words: Words, action: str) -> str:
    """A key by its action (`take:ID`, `call:COUNTER`, `rate:COUNTER:FACE` or one of PLAIN); another one as it is."""
    kind, _, rest = action.partition(":")
    if kind == "take":
        return words.t("key.take", linh_vuc=words.short_name(rest))
    if kind == "call":
        return words.t("key.call", quay=words.counter_label(rest))
    if kind == "rate":
        counter, _, face = rest.partition(":")
        return words.t("key.rate", muc=_answer(words, face), quay=words.counter_label(counter))
    return words.t(f"key.{action}") if action in PLAIN else action


def pin_name(words: Words, place: Sequence[str | int]) -> str:
    """Who uses a pin, by its place in kiosk.toml: ("buttons", "counters", "2", "call")."""
    *owner, use = map(str, place[1:])
    lamp = use == "led" or use.endswith("_led")
    name = key_name(words, _action(owner, use.removesuffix("_led")))
    return words.t("key.lamp", phim=name) if lamp else name


def _action(owner: Sequence[str], use: str) -> str:
    match owner:
        case ["services", service]:
            return f"take:{service}"
        case ["counters", counter]:
            return f"call:{counter}" if use == "call" else f"rate:{counter}:{use}"
    return owner[0]


def _answer(words: Words, face: str) -> str:
    """The answer that a rating key stands for, the key's own name where the label set does not use it."""
    labels = words.office.label_set()
    level = labels.by_key(face) if labels else None
    if level is None:
        return words.t(f"key.{face}")
    return level.text if words.t.base == "vi" else level.text_en
