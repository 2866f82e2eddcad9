"""Our own texts of the opt-out, by language. An organisation's own texts go before them.

what:       with a link, how to stop without one, and the words of a link
knows not:  names and addresses: `{name} {address} {policy} {contact} {link}` stand for them
standard:   S-21, S-51, S-54, S-69, L-29
"""

from __future__ import annotations

LINK = {
    "nl": "Je ontvangt deze mail van {name}, {address}.\nGeen mail van deze soort meer ontvangen? {link}\n"
    "Hoe we met je gegevens omgaan: {policy}",
    "en": "You receive this mail from {name}, {address}.\nNo more mail of this kind? {link}\n"
    "How we handle your data: {policy}",
    "de": "Diese Mail kommt von {name}, {address}.\nKeine Mails dieser Art mehr? {link}\n"
    "Wie wir mit Ihren Daten umgehen: {policy}",
    "fr": "Ce message vient de {name}, {address}.\nNe plus recevoir ce type de messages ? {link}\n"
    "Comment nous traitons vos données : {policy}",
}
HOW_TO = {
    "nl": "Je ontvangt deze mail van {name}, {address}.\nWil je zulke berichten niet meer ontvangen? "
    "Laat het ons weten via {contact}.\nHoe we met je gegevens omgaan: {policy}",
    "en": "You receive this mail from {name}, {address}.\nDo you want to stop such messages? "
    "Tell us at {contact}.\nHow we handle your data: {policy}",
    "de": "Diese Mail kommt von {name}, {address}.\nMöchten Sie solche Nachrichten nicht mehr erhalten? "
    "Sagen Sie es uns: {contact}.\nWie wir mit Ihren Daten umgehen: {policy}",
    "fr": "Ce message vient de {name}, {address}.\nVous ne voulez plus de tels messages ? "
    "Dites-le-nous : {contact}.\nComment nous traitons vos données : {policy}",
}
LABEL = {"nl": "Meld je hier af", "en": "Unsubscribe here", "de": "Hier abmelden", "fr": "Se désabonner ici"}
