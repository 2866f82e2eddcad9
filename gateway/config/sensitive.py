"""What makes mail sensitive beside its mark, and how it must be carried.

what:       the frozen model of `sensitive:` in an organisation's file; `pattern`, what its words match
knows not:  how text is searched, what TLS is
fails by:   pydantic ValidationError (→ file:line in `load`)
standard:   S-06, S-25; L-11 (GDPR 9)
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated

from pydantic import Field, StringConstraints

from gateway.config.base import Settings
from gateway.decision import Stream

Words = Annotated[str, StringConstraints(pattern=r"^\S(?:.{0,62}\S)?$", min_length=3)]
ONE_TO_ONE = (Stream.PERSONAL, Stream.PARTICIPATION, Stream.INFORMATIONAL, Stream.WEBSHOP)


class Sensitive(Settings):
    """The mark Briefgeheim-Sensitive always counts; what is said here only adds to it, and no header takes it away."""

    words: tuple[Words, ...] = ()
    """Words in subject, text or attachments that tell of health, belief and the like: whole words in any case, `*` any
    ending."""
    streams: tuple[Stream, ...] = Field(default=ONE_TO_ONE)
    """Where words count; a newsletter about a subject says nothing of the person who reads it."""
    always: tuple[Stream, ...] = ()
    """Streams whose every mail is sensitive."""
    end_to_end: bool = False
    """Whether sensitive mail must come encrypted for its reader (S/MIME, OpenPGP); other sensitive mail is held."""

    def sought(self, stream: Stream) -> tuple[str, ...]:
        """The words that count in mail of this stream."""
        return self.words if stream in self.streams else ()


@lru_cache(maxsize=64)
def pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """Matches where one of the words stands; between the words of one entry there is any white space."""
    each = (r"\s+".join(map(re.escape, w.rstrip("*").split())) + (r"\w*" if w.endswith("*") else "") for w in words)
    return re.compile(rf"\b(?:{'|'.join(each)})\b", re.IGNORECASE)
