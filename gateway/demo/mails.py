"""The mails of the demo, as a CRM, a shop and a mailing tool would write them.

takes→gives: people → `EmailMessage`
knows not:  the gateway
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

Person = tuple[str, str]  # name, address

COURSE_TEXT = """Beste cursist,

Zaterdag begint de cursus om 9.30 uur in De Lindenhoeve. Neem makkelijke
kleding en je lunch mee; koffie en thee staan klaar.

Het programma vind je in de bijlage.

Hartelijke groet,
Opleidingsinstituut De Kleine Parel
"""

COURSE_HTML = """<!DOCTYPE html>
<html lang="nl"><body style="font-family: Arial, sans-serif">
<p>Beste cursist,</p>
<p>Zaterdag begint de cursus om <b>9.30 uur</b> in De Lindenhoeve. Neem makkelijke kleding en je lunch mee;
koffie en thee staan klaar.</p>
<p>Het programma vind je in de bijlage.</p>
<p>Hartelijke groet,<br>Opleidingsinstituut De Kleine Parel</p>
<img src="https://track.crm.example/open/8f2c41d09ab3e7755c01.gif?u=77123" width="1" height="1" alt="">
</body></html>
"""

NEWS_TEXT = """Nieuws voor in de klas

Nieuw: de rekenmethode voor groep 5. Bekijk de proefles:
https://rezulto.nl/proefles?utm_source=nieuwsbrief&utm_medium=email&mc_eid=9c1f00a7d2&les=5
"""

NEWS_HTML = """<!DOCTYPE html>
<html lang="nl"><head><title>Nieuws voor in de klas</title></head>
<body>
<h1>Nieuws voor in de klas</h1>
<p><img src="https://rezulto.nl/beeld/klas.jpg" width="560" height="240" alt="Een klas aan het werk"></p>
<p>Nieuw: de rekenmethode voor groep 5.
<a href="https://rezulto.nl/proefles?utm_source=nieuwsbrief&amp;utm_medium=email&amp;mc_eid=9c1f00a7d2&amp;les=5">Bekijk
de proefles</a>.</p>
<img src="https://rezulto.list-manage.com/track/open.php?u=5be1&amp;id=77&amp;e=9c1f00a7d2" height="1" width="1">
</body></html>
"""

INVOICE_TEXT = """Bedankt voor je bestelling.

Bestelling 20261121-0042
1 x Rekenen met plezier, werkboek        EUR 14,95
Verzendkosten                            EUR  3,95
Totaal                                   EUR 18,90

De factuur is betaald met iDEAL.
"""

_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


def course_mail(participants: Sequence[Person]) -> EmailMessage:
    """Everybody in To and Cc, an attachment, a receipt request and a pixel: what must not leave like that."""
    half = len(participants) // 2
    mail = _mail("Opleidingsinstituut De Kleine Parel <info@dekleineparel.nl>", "Praktische informatie over zaterdag")
    mail["To"] = _listed(participants[:half])
    mail["Cc"] = _listed(participants[half:])
    mail["Disposition-Notification-To"] = "info@dekleineparel.nl"
    mail["X-Confirm-Reading-To"] = "info@dekleineparel.nl"
    mail["Briefgeheim-Stream"] = "participation"
    mail["Briefgeheim-Reference"] = "basiscursus-2026-11"
    mail.set_content(COURSE_TEXT)
    mail.add_alternative(COURSE_HTML, subtype="html")
    mail.add_attachment(_PDF, maintype="application", subtype="pdf", filename="programma.pdf")
    return mail


def newsletter(readers: Sequence[Person], list_name: str) -> EmailMessage:
    """Individual links and an open-tracking image of a mailing tool."""
    mail = _mail("Rezulto <nieuws@rezulto.nl>", "Nieuws voor in de klas")
    mail["To"] = _listed(readers)
    mail["Briefgeheim-Stream"] = "newsletter"
    mail["Briefgeheim-List"] = list_name
    mail["Briefgeheim-Basis"] = "consent"
    mail.set_content(NEWS_TEXT)
    mail.add_alternative(NEWS_HTML, subtype="html")
    return mail


def invoice(buyer: Person) -> EmailMessage:
    """A shop's invoice: it must arrive, whatever marketing was stopped."""
    mail = _mail("Rezulto webwinkel <winkel@rezulto.nl>", "Factuur 20261121-0042")
    mail["To"] = _listed([buyer])
    mail["Briefgeheim-Stream"] = "webshop"
    mail["Briefgeheim-Reference"] = "20261121-0042"
    mail["Briefgeheim-Basis"] = "contract"
    mail.set_content(INVOICE_TEXT)
    mail.add_attachment(_PDF, maintype="application", subtype="pdf", filename="factuur-20261121-0042.pdf")
    return mail


def course_news(readers: Sequence[Person]) -> EmailMessage:
    """A newsletter of the training institute."""
    mail = _mail("De Kleine Parel <nieuws@dekleineparel.nl>", "Nieuwe data voor het voorjaar")
    mail["To"] = _listed(readers)
    mail["Briefgeheim-Stream"] = "newsletter"
    mail["Briefgeheim-List"] = "nieuwsbrief"
    mail.set_content("De data voor het voorjaar staan op onze website.\n")
    return mail


def _mail(sender: str, subject: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = sender
    mail["Subject"] = subject
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].rstrip(">"))
    return mail


def _listed(people: Sequence[Person]) -> str:
    return ", ".join(f"{name} <{address}>" for name, address in people)
