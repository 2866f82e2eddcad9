"""The mail of the benchmark: a newsletter of 5 kB with text, HTML, individual links and a tracking image.

takes→gives: a recipient's number → address and message as the mailing tool writes it
knows not:  who sends it where
"""

from __future__ import annotations

from email.utils import formatdate

SENDER = "nieuws@rezulto.nl"
LIST = "onderwijsnieuws"
SIZE = 5000
_DOMAIN = "school.example"
_BOUNDARY = "=_9c1f00a7d2"

_SENTENCES = (
    "In groep 5 gaan de leerlingen aan de slag met breuken, verhoudingen en procenten.",
    "Bij elke les hoort een filmpje van drie minuten dat op het digibord begint.",
    "De toetsen zijn aangepast aan de nieuwe kerndoelen en staan klaar voor het tweede blok.",
    "Wie vragen heeft over de licenties van het volgende schooljaar kan ons altijd bellen.",
    "De studiedag in maart is bijna vol; er zijn nog een paar plaatsen in de middaggroep.",
)

_TEXT = "Nieuws voor in de klas\r\n\r\n{body}\r\n\r\nBekijk de proefles:\r\n{link}\r\n"
_HTML = """<!DOCTYPE html>\r
<html lang="nl"><head><meta charset="utf-8"><title>Nieuws voor in de klas</title>\r
<style>body {{ font-family: Arial, sans-serif }} .knop {{ background: #0a6; color: #fff }}</style></head>\r
<body>\r
<table width="600" align="center"><tr><td>\r
<h1>Nieuws voor in de klas</h1>\r
<p><img src="https://rezulto.nl/beeld/klas.jpg" width="560" height="240" alt="Een klas aan het werk"></p>\r
{body}\r
<p><a class="knop" href="{link}">Bekijk de proefles</a></p>\r
</td></tr></table>\r
<img src="https://rezulto.list-manage.com/track/open.php?u=5be1&amp;id=77&amp;e={mark}" height="1" width="1">\r
</body></html>\r
"""
_HEADER = """From: Rezulto <{sender}>\r
To: {to}\r
Subject: Nieuws voor in de klas\r
Date: {date}\r
Message-ID: <{mark}@rezulto.nl>\r
Briefgeheim-Stream: newsletter\r
Briefgeheim-List: {list}\r
Briefgeheim-Basis: consent\r
MIME-Version: 1.0\r
Content-Type: multipart/alternative; boundary="{boundary}"\r
\r
"""


def address(number: int) -> str:
    """The address of one reader."""
    return f"reader{number:06d}@{_DOMAIN}"


def newsletter(number: int, to: str) -> bytes:
    """One mail of `SIZE` octets, not dot-stuffed; `number` makes its links and its Message-ID different."""
    mark = f"{number * 2654435761 % 2**32:08x}{number:08x}"
    short = _written(number, to, mark, 0)
    paragraphs = 0
    while len(longer := _written(number, to, mark, paragraphs + 1)) <= SIZE:
        short, paragraphs = longer, paragraphs + 1
    missing = SIZE - len(short)
    return short if missing < 4 else short.replace(b"</h1>\r\n", b"</h1>\r\n" + b" " * (missing - 2) + b"\r\n", 1)


def _written(number: int, to: str, mark: str, paragraphs: int) -> bytes:
    link = f"https://rezulto.nl/proefles?utm_source=nieuwsbrief&utm_medium=email&mc_eid={mark}&les=5"
    lines = [_SENTENCES[n % len(_SENTENCES)] for n in range(paragraphs)]
    text = _TEXT.format(body="\r\n".join(lines), link=link)
    html = _HTML.format(
        body="\r\n".join(f"<p>{line}</p>" for line in lines), link=link.replace("&", "&amp;"), mark=mark
    )
    date = formatdate(1_790_000_000 + number)
    header = _HEADER.format(sender=SENDER, to=to, date=date, mark=mark, list=LIST, boundary=_BOUNDARY)
    parts = "".join(
        f"--{_BOUNDARY}\r\nContent-Type: text/{kind}; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: 7bit\r\n\r\n{content}\r\n"
        for kind, content in (("plain", text), ("html", html))
    )
    return (header + parts + f"--{_BOUNDARY}--\r\n").encode("ascii")
