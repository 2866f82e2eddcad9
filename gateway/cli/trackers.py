"""`briefgeheim trackers`: what is known about trackers, and what the rules make of one address.

what:       reads the settings' facts; asks the filter's own rules, so that answer and filter cannot differ
takes→gives: settings, an address → lines, or JSON
knows not:  mail, people, the network: the address is never fetched
fails by:   exit 2 for settings and for what is no web address
standard:   R-058, R-060
"""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from gateway.cli.opening import DEFAULT_CONFIG, Config, settings, wrong
from gateway.config import weburl
from gateway.config.trackers import Trackers
from gateway.filters.tracker_images import Look, judge, look_of
from gateway.filters.tracker_links import NOT_CLEANED, Rules, clean

app = typer.Typer(help="What is known about trackers in mail.", no_args_is_help=True)
_LOOKS = {
    "picture of visible size": Look(),
    "picture without size and text": Look(bare=True),
    "picture of 1 by 1 pixel": Look(tiny=True),
    "picture that is hidden": Look(hidden=True),
}


@app.command()
def check(
    address: Annotated[str, typer.Argument(help="A web address as it stands in a mail.")],
    config: Config = DEFAULT_CONFIG,
    width: Annotated[str, typer.Option(help="Width of the picture, as written in HTML.")] = "",
    height: Annotated[str, typer.Option(help="Height of the picture, as written in HTML.")] = "",
    style: Annotated[str, typer.Option(help="Style of the picture, as written in HTML.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Say which rule would take out a picture or clean a link with this address, and by which fact.

    Nothing is fetched. What other copies of a campaign say is not known here.
    """
    facts = settings(config).trackers
    url = weburl.read(address)
    if url is None:
        wrong(f"{address!r}: no address of the web, expected https://...")
    looks = dict(_LOOKS)
    if width or height or style:
        looks = {"picture": look_of({"width": width, "height": height, "style": style}, within_hidden=False)}
    found = {
        "host": url.host,
        "facts": facts.why(url),
        **{name: _load(address, url, look, facts) for name, look in looks.items()},
        "link": _link(address, facts),
    }
    print(json.dumps(found, ensure_ascii=False) if as_json else _text(found))


@app.command()
def show(
    config: Config = DEFAULT_CONFIG,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """List the groups of facts in force, with their sources, and how many facts each has."""
    loaded = settings(config)
    facts, own = loaded.trackers, loaded.gateway.own_trackers
    groups = [
        {"kind": kind, "name": group.name, "facts": _size(group), "source": group.source, "licence": group.licence}
        for kind in ("opens", "clicks", "redirects", "proxies", "parameters", "exempt")
        for group in getattr(facts, kind)
    ]
    if as_json:
        print(json.dumps({"version": facts.version.isoformat(), "own": list(map(str, own)), "groups": groups}))
        return
    print(f"version {facts.version.isoformat()}, {len(own)} files of your own")
    for group in groups:
        print(f"{group['kind']:10}  {group['name']:36}  {group['facts']:4}  {group['source']}")


def _size(group: Any) -> int:
    return sum(len(getattr(group, name, ())) for name in ("hosts", "shapes", "names", "words", "whole"))


def _load(address: str, url: weburl.Url, look: Look, facts: Trackers) -> str:
    found = judge(address, url, look, facts)
    if found.instead:
        return f"becomes {found.instead} ({found.kind})"
    return f"goes ({found.kind})" if found.kind else "stays"


def _link(address: str, facts: Trackers) -> str:
    octets = address.encode("utf-8", "surrogateescape")
    cuts = clean(octets, Rules(facts), markup=False)
    kinds = sorted({cut.kind for cut in cuts if cut.kind != NOT_CLEANED})
    left = any(cut.kind == NOT_CLEANED for cut in cuts)
    if not kinds:
        return f"stays, and is reported ({NOT_CLEANED})" if left else "stays"
    kept, at = list[bytes](), 0
    for cut in cuts:
        kept += [octets[at : cut.start], cut.text]
        at = cut.end
    return f"becomes {(b''.join(kept) + octets[at:]).decode('utf-8', 'replace')} ({', '.join(kinds)})"


def _text(found: dict[str, Any]) -> str:
    lines = [f"{name}: {value}" for name, value in found.items() if name != "facts"]
    return "\n".join([*lines, *(f"fact: {fact}" for fact in found["facts"] or ["none"])])
