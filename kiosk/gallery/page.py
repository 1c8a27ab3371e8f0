"""The gallery's page: what each view is, and all its pictures. One file, without scripts, for file:// as well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from kiosk.gallery.pictures import Picture
from kiosk.texts import Texts

CSS = """
:root { color-scheme: light; --ink: #0d213e; --muted: #4a5a74; --line: #d6deea; --blue: #0e4c87; }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 "Be Vietnam Pro", "Segoe UI", "Noto Sans", sans-serif; }
body { color: var(--ink); background: #ecf1f9; }
header { padding: 24px 32px; color: #fff; background: linear-gradient(90deg, #092852, #0f528c); }
header { border-bottom: 3px solid #f6b41c; }
header p { margin: 4px 0 0; color: #c9def5; }
h1 { margin: 0; font-size: 28px; }
h2 { margin: 40px 0 4px; font-size: 22px; }
h3 { margin: 12px 0; font-size: 16px; font-weight: 500; color: var(--muted); }
main { padding: 8px 32px 48px; max-width: 1800px; margin: auto; }
a { color: var(--blue); }
table { border-collapse: collapse; width: 100%; background: #fff; border: 1px solid var(--line); }
th, td { padding: 6px 12px; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
.pictures { display: flex; flex-wrap: wrap; gap: 16px; align-items: flex-end; }
figure { margin: 0; }
figure img { display: block; max-width: 100%; height: auto; background: #fff; }
figure img { border: 1px solid var(--line); border-radius: 6px; box-shadow: 0 1px 4px #76829066; }
figcaption { margin-top: 4px; font-size: 13px; color: var(--muted); }
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture, and what stands below it."""

    picture: Picture
    caption: str


def page(pictures: Mapping[str, Sequence[Shown]], texts: Sequence[Texts], office: str) -> str:
    """HTML with a table of the views and a section for each; the first of `texts` is the page's language."""
    t = texts[0]
    heads = "".join(f"<th>{escape(each('language.name'))}</th>" for each in texts)
    rows = "".join(_row(view, len(shown), texts) for view, shown in pictures.items())
    sections = "".join(_section(view, shown, t) for view, shown in pictures.items())
    total = t("gallery.total", n=t.number(sum(map(len, pictures.values()))))
    return (
        f'<!doctype html>\n<html lang="{t.language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(t('gallery.title'))}</title>\n<style>{CSS}</style>\n</head>\n<body>\n"
        f"<header><h1>{escape(t('gallery.title'))}</h1><p>{escape(office)} · {escape(total)}</p></header>\n<main>\n"
        f"<h2>{escape(t('gallery.contents'))}</h2>\n<table>\n<tr><th></th>{heads}<th></th></tr>\n{rows}</table>\n"
        f"{sections}</main>\n</body>\n</html>\n"
    )


def _row(view: str, count: int, texts: Sequence[Texts]) -> str:
    cells = "".join(f"<td>{escape(each(f'gallery.{view}'))}</td>" for each in texts)
    return f'<tr><td><a href="#{view}">{escape(view)}</a></td>{cells}<td>{count}</td></tr>\n'


def _section(view: str, shown: Sequence[Shown], t: Texts) -> str:
    figures = "".join(_figure(each) for each in shown)
    return (
        f'<section id="{view}">\n<h2>{escape(view)}</h2>\n<h3>{escape(t(f"gallery.{view}"))}</h3>\n'
        f'<div class="pictures">\n{figures}</div>\n</section>\n'
    )


def _figure(shown: Shown) -> str:
    picture = shown.picture
    size = f'width="{picture.width}" height="{picture.height}"'
    image = f'<img src="{escape(picture.small)}" alt="{escape(shown.caption)}" {size} loading="lazy">'
    link = f'<a href="{escape(picture.name)}">{image}</a>'
    return f"<figure>{link}<figcaption>{escape(shown.caption)}</figcaption></figure>\n"
