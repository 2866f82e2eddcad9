"""One organisation's rules: its policy, domains, clients, providers, lists, streams and `classify:` entries.

what:       the frozen model of `config/organisations/*.yaml`
knows not:  how anything is carried out
fails by:   pydantic ValidationError (→ file:line in `load`)
standard:   rows S-01..S-69, differences D-01..D-18; DESIGN §5
"""

from __future__ import annotations

from datetime import date
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from gateway.config.api import Webhook
from gateway.config.base import DomainName, Duration, Name, Settings
from gateway.config.campaigns import Campaigns
from gateway.config.content import Content
from gateway.config.headers import Headers
from gateway.config.observe_mode import ObserveMode
from gateway.config.opt_out import Footer, OptOutRule, ScopeName
from gateway.config.probe import Probe
from gateway.config.provider import Provider as Provider
from gateway.config.retention import Retention
from gateway.config.rights import Rights
from gateway.config.sensitive import Sensitive
from gateway.decision import Basis, Stream
from gateway.facts import ScopeKind

Id = Annotated[int, Field(ge=1, lt=2**32)]


def _network(value: object) -> object:
    if isinstance(value, str):
        try:
            return ip_network(value)
        except ValueError:
            pass
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    raise ValueError("expected a network such as 192.0.2.0/24 or 2001:db8::/32, without host bits")


def _no_truth(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("expected 1, 2, 3, 4, 5 or 'none'")
    return value


Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]


class Controller(Settings):
    """Who sends (L-29, S-38, S-54, S-69). Shown in mail and on pages."""

    name: str
    """Legal name of the controller."""
    postal_address: str
    """One line: street, postcode, place, country."""
    register_number: str = ""
    """Trade register number, or empty."""
    contact: str
    """Mail address for requests and complaints."""
    policy_url: str
    """Where the privacy policy is published (https)."""
    policy_date: date
    """Date of the published policy these rules enforce."""


class Domain(Settings):
    """A domain that may stand in From and MAIL FROM (S-02)."""

    domain: DomainName
    """The domain, lower case A-label."""
    dkim: bool = False
    """Whether the organisation can publish keys here and mail is signed with d= this domain."""
    selector: Name | None = None
    """DKIM selector; needed when dkim is yes."""
    shared_parent: DomainName | None = None
    """A parent that other customers share (site builders); such a domain can never be signed for."""
    own_dns: bool = False
    """We control the DNS of this name although its parent is in the private part of the public suffix list (eu.org)."""


class Source(Settings):
    """A source database: the reach of a total opt-out (S-22, S-23)."""

    id: Id
    """In opt-out links: never change or reuse it."""
    name: Name
    """Clients name it."""
    retired: bool = False
    """A retired source keeps its id; no client may name it."""


class MailingList(Settings):
    """A newsletter people subscribe to (S-45, S-60). `id` is in tokens: never reuse one."""

    id: Id
    """In opt-out links: never change or reuse it."""
    name: Name
    """Value of Briefgeheim-List."""
    title: str
    """Shown on the opt-out page."""
    list_id: DomainName | None = None
    """List-Id under a domain of the organisation (RFC 2919)."""
    retired: bool = False
    """A retired list keeps its id; its old links widen to all marketing."""


class Topic(Settings):
    """Something people ask to be told about (S-19), or a category of offers (S-49)."""

    id: Id
    """In opt-out links: never change or reuse it."""
    name: Name
    """Value of Briefgeheim-Topic, or category in Briefgeheim-Offer."""
    title: str
    """Shown on the opt-out page."""
    retired: bool = False
    """A retired topic or category keeps its id and takes no new mail."""


class Client(Settings):
    """A system or person that submits mail (a CRM, a shop, an office)."""

    name: Name
    """User name for AUTH; unique over all organisations."""
    source: Name | None = None
    """The source database its automated mail belongs to."""
    networks: tuple[Network, ...] = ()
    """Networks it may come from; empty means any, and then a credential is needed."""
    secret: str | None = None
    """Name of its credential; None means by network only, which then must be given."""
    kind: Literal["system", "people"] = "system"
    """Whether a leak is answered with hold (system) or 550 (people)."""
    refuse: Literal["dot", "rcpt"] = "dot"
    """When a blocked recipient is refused (DESIGN §4, Refusing)."""
    private_from: Annotated[int, Field(ge=1)] = 2
    """From how many recipients outside the organisation on mail is private whatever its stream."""
    max_recipients: Annotated[int, Field(ge=100)] = 1000
    """R-009: at least 100."""
    unknown_addresses: Annotated[int, Field(ge=0)] = 10
    """Above how many addresses unknown to the registry in one private mail the leak check counts them too."""
    when_registry_away: Literal["store", "defer"] = "store"
    """I-3: store undecided and answer 250, or answer 451."""
    observe: tuple[ObserveMode, ...] = ()
    """Streams whose missing consents and marks are reported instead of refused, until a date."""


class ThirdParty(Settings):
    """Somebody else who gets data of a person, such as the aanbieder of a course (S-13, S-27, S-32)."""

    name: Name
    """Value of Briefgeheim-Shared-With, and in the share ledger."""
    title: str
    """Shown in exports and notices."""
    addresses: tuple[str, ...]
    """Mail addresses; the first gets notices of erasure, rectification and restriction (GDPR 19)."""
    domains: tuple[DomainName, ...] = ()
    """Every address in these domains is theirs too."""
    contract: date
    """Date of the contract on security and secrecy (S-27)."""
    rights_clause: bool
    """Whether it says what happens when people use their rights (S-27). Must be yes."""


class Route(Settings):
    """First match by sender domain and stream names the one provider; no match refuses (S-12, S-14)."""

    provider: Name
    """Name of the provider."""
    domains: tuple[DomainName, ...] = ()
    """Empty: every domain of the organisation."""
    streams: tuple[Stream, ...] = ()
    """Empty: every stream."""


class When(Settings):
    """Conditions of one `classify:` entry; all given ones must hold."""

    client: Name | None = None
    """Name of the client."""
    from_domain: DomainName | None = None
    """Domain in From; one of `domains`."""
    from_address: str | None = None
    """Address in From."""
    sender_tag: str | None = None
    """MAIL FROM sub-address (the part after +)."""
    list_id: str | None = None
    """The identifier in List-Id, without angle brackets."""
    recipients: str | None = None
    """Number of recipients, as ">=2", "<5" or "1"."""
    header: dict[str, str | None] = Field(default={})
    """Header name → exact value, or null for mere presence."""
    stream_mark: Stream | None = None
    """Value of Briefgeheim-Stream."""


class Classify(Settings):
    """One entry: when all conditions hold, this is the stream. First match counts."""

    name: Name
    """Shown by `explain`, and unique."""
    when: When
    """Conditions; empty matches everything."""
    stream: Stream
    """What the mail then is; must have a rule in `streams`."""
    basis: Basis | None = None
    """The only legal basis such mail may have; one of the stream's own."""
    list: Name | None = None
    """The list such mail belongs to; else the mark Briefgeheim-List says it."""
    topic: Name | None = None
    """The topic such mail belongs to; else the mark Briefgeheim-Topic says it."""


class StreamRule(Settings):
    """How one stream of this organisation is treated."""

    basis: tuple[Basis, ...]
    """Permitted bases, the first is the default where the mark is not needed (S-41, D-16)."""
    basis_mark: bool = False
    """Whether each message must say its basis itself (002)."""
    needs: tuple[
        Literal[
            "list-consent",
            "topic-request",
            "enrolment",
            "reference",
            "research-consent",
            "ready",
            "soft-opt-in",
            "once",
        ],
        ...,
    ] = ()
    """What must be true of person or message. once: each person is told of one reference once (S-37)."""
    blocked_by: tuple[ScopeName, ...] = ("everything",)
    """Which scopes of a block stop this stream."""
    refuses_offers: bool = False
    """A marketing or offer mark on this stream is refused (S-15, S-61)."""
    private: bool = True
    """Every recipient gets a copy that shows nobody else, whatever the number."""
    mode: Literal["copies", "bcc"] = "copies"
    """Private mail. copies: To has the recipient's own address; bcc: an empty group with the organisation's name, the
    same for all (R-027). Mail marked sensitive is never bcc."""
    winmail: Literal["several", "hold"] = "several"
    """winmail.dat cannot be looked into. several: held in private mail to several people; hold: in all mail (R-029)."""
    tracking: Literal["never", "consent"] = "never"
    """consent: individual links stay for people with tracking consent (S-46)."""
    edit: bool = True
    """Whether filters that change content run (no for personal mail below private_from)."""
    receipts: Literal["strip", "keep"] = "strip"
    """strip: requests for read and delivery receipts leave the mail (S-04)."""
    opt_out: OptOutRule = OptOutRule()
    """The opt-out this stream carries."""
    unstoppable: bool = False
    """No opt-out, objection or withdrawal stops it, only erasure and restriction (S-61)."""


class Organisation(Settings):
    """One controller with its own keys, registry, tokens and routes (I-12, L-41)."""

    id: Annotated[int, Field(ge=1, le=65535)]
    """Numeric, in every token: never reuse or change it."""
    name: Name
    """Part of opt-out links and of the names of credential files."""
    controller: Controller
    """Who sends, for footers and pages."""
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = "nl"
    """Language of texts where neither mail nor person says."""
    time_zone: str = "Europe/Amsterdam"
    """For days and terms, as in the IANA time zone data."""
    opt_out_url: str
    """https base of the opt-out page, e.g. https://afmelden.example.nl; tokens come behind it."""
    postmaster: str
    """Gets mail to postmaster@ and failures that have nobody else."""
    contacts: tuple[str, ...] = ()
    """Exact addresses that may be seen in any mail (I-1)."""
    internal_domains: tuple[DomainName, ...] = ()
    """Domains of the organisation's own people; they do not count for private_from."""
    block_wide_domains: tuple[DomainName, ...] = ()
    """Recipient domains where plus-tags and dots do not make another person (L-36)."""
    strict_tracking: bool = True
    """Whether tracking needs consent of its own (1c-8)."""
    soft_opt_in_years: Annotated[Literal[1, 2, 3, 4, 5, "none"], BeforeValidator(_no_truth)] = 2
    """How long after the last sale offers may go out; none: no limit (S-50, D-07)."""
    free_account_is_sale: bool = False
    """Whether a free subscription counts as a sale for offers; read narrowly (L-30)."""
    domains: tuple[Domain, ...]
    """What may stand in From and MAIL FROM."""
    sources: tuple[Source, ...] = ()
    """Databases whose automated mail one opt-out can stop."""
    lists: tuple[MailingList, ...] = ()
    """Newsletters."""
    topics: tuple[Topic, ...] = ()
    """What people can ask to be told about."""
    categories: tuple[Topic, ...] = ()
    """Kinds of products, for offers after a purchase."""
    clients: tuple[Client, ...]
    """Who submits mail."""
    providers: tuple[Provider, ...]
    """Who carries it further."""
    third_parties: tuple[ThirdParty, ...] = ()
    """Who else may get data of a person, and under which contract."""
    webhooks: tuple[Webhook, ...] = ()
    """Who is told of refusals and consents as they happen."""
    routes: tuple[Route, ...]
    """Which mail goes to which provider; the first match counts."""
    streams: dict[Stream, StreamRule]
    """Rules per kind of mail; a stream without rules is refused."""
    classify: tuple[Classify, ...]
    """How mail is told apart; the first match counts, no match is refused."""
    footer: Footer = Footer()
    """Texts of the visible opt-out."""
    headers: Headers = Headers()
    """Header fields that leave, beside those that always do."""
    content: Content = Content()
    """What may stand in the content of mail: lists of people, data of many, files nobody can look into."""
    rights: Rights = Rights()
    """Requests of people: who handles them, and within which terms."""
    hold_for: Duration = Field(default="5d", validate_default=True)
    """How long held mail waits before the submitter gets a DSN."""
    sensitive: Sensitive = Sensitive()
    """What is sensitive beside its mark, and how it must be carried (S-06, S-25)."""
    hold_owner: str | None = None
    """Who gets the daily digest of held mail; default: the postmaster."""
    retention: Retention = Retention()
    """How long each class of data is kept."""
    probe: Probe = Probe()
    """The daily probe that the opt-out works."""
    campaigns: Campaigns = Campaigns()
    """Comparing the copies of one campaign, to find what differs per person (R-059)."""

    @cached_property
    def by_client(self) -> dict[str, Client]:
        return {c.name: c for c in self.clients}

    @cached_property
    def by_provider(self) -> dict[str, Provider]:
        return {p.name: p for p in self.providers}

    @cached_property
    def by_third_party(self) -> dict[str, ThirdParty]:
        return {t.name: t for t in self.third_parties}

    @cached_property
    def by_domain(self) -> dict[str, Domain]:
        return {d.domain: d for d in self.domains}

    @cached_property
    def own_domains(self) -> frozenset[str]:
        """Domains that it sends from, and those of its own people."""
        return frozenset({*self.by_domain, *self.internal_domains})

    @cached_property
    def entry_names(self) -> frozenset[str]:
        return frozenset(entry.name for entry in self.classify)

    @cached_property
    def list_ids(self) -> dict[str, int]:
        return {item.name: item.id for item in self.lists}

    @cached_property
    def topic_ids(self) -> dict[str, int]:
        return {item.name: item.id for item in self.topics}

    @cached_property
    def category_ids(self) -> dict[str, int]:
        return {item.name: item.id for item in self.categories}

    @cached_property
    def source_ids(self) -> dict[str, int]:
        return {item.name: item.id for item in self.sources}


SCOPE_KINDS: dict[str, ScopeKind] = {
    "everything": ScopeKind.EVERYTHING,
    "marketing": ScopeKind.MARKETING,
    "source": ScopeKind.SOURCE,
    "list": ScopeKind.LIST,
    "topic": ScopeKind.TOPIC,
    "category": ScopeKind.CATEGORY,
}
