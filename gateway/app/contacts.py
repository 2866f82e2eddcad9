"""Records which id a client has for a person, some time after the mail that said so.

what:       flushes the notes of the pipeline a few times a second, and once more at the end
takes→gives: `Pipeline` → events in the registries
knows not:  what is noted
fails by:   nothing: what cannot be recorded is logged, and the person's next mail brings it again
standard:   DESIGN §4 "Who can name a person"
"""

from __future__ import annotations

import asyncio

from gateway.pipeline import Pipeline

_PAUSE = 0.25  # seconds: few enough commits, and the feed knows a contact before the next thing happens


async def contacts(pipeline: Pipeline) -> None:
    """Until cancelled."""
    try:
        while True:
            await asyncio.sleep(_PAUSE)
            await pipeline.notes.flush()
    finally:
        await pipeline.notes.flush()
