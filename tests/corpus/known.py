"""What is known to be otherwise in single messages of the corpus: file → property → why it stays so."""

from __future__ import annotations

_PEOPLE = "as private mail only: what a person writes is no campaign, so links are no tracking unless they are known"
_ONE_COPY = "a picture to look at with an address of its own: only other copies of the campaign would tell"

KNOWN: dict[str, dict[str, str]] = {
    "SpamScope+mail-parser/mail_test_13.eml": {"link recorder": _PEOPLE},
    "SpamScope+mail-parser/mail_test_6.eml": {
        "link exempt": "the redirector before it gives way to the page itself, whose address keeps its key"
    },
    "apache+james-project/JAMES-1593.eml": {"link recorder": _PEOPLE, "load individual": _ONE_COPY},
    "bbottema+simple-java-mail/552_broken_calendar_method.eml": {
        "link individual": "a calendar's own page with the number of an account, beside answers to an invitation"
    },
    "mjl-+mox/parse.eml": {"link recorder": _PEOPLE, "load tracker": "as private mail only; nothing but a long token"},
    "php-mime-mail-parser+php-mime-mail-parser/m0015.eml": {"link recorder": _PEOPLE},
    "target+strelka/test_email_link_stress.eml": {"link individual": _PEOPLE},
}
