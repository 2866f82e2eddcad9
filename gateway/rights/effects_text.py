"""Sentences about effects of rights, in Dutch and English: for the reply to the person, and for the officer's list.

what:       fixed sentences with named places
takes→gives: language, key, values → a sentence; a language we do not have → English
knows not:  who asked, what was done
fails by:   `KeyError` for a sentence that does not exist
standard:   GDPR 12(1): plain and clear
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

_NL: Mapping[str, str] = {
    "erased": "Uw gegevens zijn verwijderd uit ons mailsysteem: toestemmingen, inschrijvingen, contactgegevens en "
    "het verzendlogboek.",
    "tombstone": "Wij bewaren alleen een versleuteld kenmerk, zonder datum en niet tot u te herleiden zonder uw "
    "adres, zodat u geen mail meer krijgt als uw adres nog eens in een bestand staat.",
    "queued-gone": "Mail die nog op verzending wachtte is vernietigd.",
    "notices": "Wie uw gegevens van ons kreeg, is gevraagd om met u na te gaan of u ze ook daar verwijderd wilt "
    "hebben: {names}.",
    "marketing-stopped": "U krijgt geen reclame, nieuwsbrieven of aanbiedingen meer.",
    "kept-law": "wettelijk bewaarde gegevens, kenmerk {id}",
    "kept-order": "lopende bestelling of inschrijving, kenmerk {id}",
    "why-order": "nodig om deze af te handelen; daarna worden ook deze gegevens verwijderd",
    "restricted": "De verwerking van uw gegevens is beperkt: wij bewaren ze alleen, en sturen u geen mail behalve "
    "over dit verzoek.",
    "lifted": "De beperking van de verwerking is opgeheven.",
    "objected": "Uw bezwaar is verwerkt: {scope}.",
    "withdrawn": "Uw toestemming is ingetrokken: {scope}. Wat eerder met uw toestemming gebeurde, blijft rechtmatig.",
    "left": "U krijgt geen mail meer van ons. Uw gegevens worden op {day} verwijderd.",
    "moved": "Uw adres is gewijzigd. Uw toestemmingen en afmeldingen gelden voor het nieuwe adres; het oude krijgt "
    "geen mail meer.",
    "exported": "Een overzicht van uw gegevens is bijgevoegd.",
    "scope-marketing": "alle reclame, ook profilering en het volgen van uw klikgedrag",
    "scope-everything": "alle berichten",
    "out-client": "{name} (systeem dat mail aanlevert): verwijder deze persoon daar{contacts}.",
    "out-contact": ", kenmerk {id}",
    "out-people": "Postvakken van medewerkers ({name}): verwijder verstuurde en ontvangen mail van deze persoon.",
    "out-provider": "{name} (mailprovider, contract van {day}): laat verzendgegevens van deze persoon verwijderen.",
    "out-third": "{name} (derde): het bericht hierover gaat automatisch; noteer het antwoord.",
    "out-third-gone": "{name} (derde, niet meer in de instellingen): laat het hun zelf weten.",
    "out-backup": "Reservekopieën: verdwijnen vanzelf door rotatie; zet er geen terug zonder daarna het "
    "blokkadejournaal toe te passen.",
    "out-exports": "Exportmappen en dossiers die eerder van deze persoon gemaakt zijn: verwijder ze.",
}
_EN: Mapping[str, str] = {
    "erased": "Your data was deleted from our mail system: consents, enrolments, contact details and the sending log.",
    "tombstone": "We keep only a keyed code, without a day and of no use without your address, so that you get no mail "
    "when your address turns up in a file again.",
    "queued-gone": "Mail that was still waiting to be sent was destroyed.",
    "notices": "Those who got your data from us were asked to find out with you whether you want it deleted there "
    "too: {names}.",
    "marketing-stopped": "You will get no more advertising, newsletters or offers.",
    "kept-law": "data kept by law, reference {id}",
    "kept-order": "running order or enrolment, reference {id}",
    "why-order": "needed to complete it; after that this data is deleted too",
    "restricted": "Processing of your data is restricted: we only store it, and send you no mail except about this "
    "request.",
    "lifted": "The restriction of processing was lifted.",
    "objected": "Your objection is in force: {scope}.",
    "withdrawn": "Your consent was withdrawn: {scope}. What was done before with your consent remains lawful.",
    "left": "You will get no more mail from us. Your data will be deleted on {day}.",
    "moved": "Your address was changed. Your consents and opt-outs hold for the new address; the old one gets no more "
    "mail.",
    "exported": "An overview of your data is enclosed.",
    "scope-marketing": "all advertising, including profiling and following your clicks",
    "scope-everything": "all messages",
    "out-client": "{name} (system that submits mail): delete this person there{contacts}.",
    "out-contact": ", reference {id}",
    "out-people": "Mailboxes of staff ({name}): delete sent and received mail of this person.",
    "out-provider": "{name} (mail provider, contract of {day}): have sending data of this person deleted.",
    "out-third": "{name} (third party): its notice is sent by itself; note the answer.",
    "out-third-gone": "{name} (third party, no longer in the settings): tell them yourself.",
    "out-backup": "Backups: they go by rotation; put none back without applying the block journal afterwards.",
    "out-exports": "Export folders and files made of this person before: delete them.",
}
TEXTS: Mapping[str, Mapping[str, str]] = {"nl": _NL, "en": _EN}


def say(language: str, key: str, **values: str) -> str:
    """One sentence in `language` (BCP 47 primary tag), else in English."""
    return TEXTS.get(language, _EN)[key].format(**values)


def day(at: int) -> str:
    """ISO day of Unix seconds, UTC."""
    return datetime.fromtimestamp(at, UTC).date().isoformat()
