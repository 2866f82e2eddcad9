"""Every metric, declared once with name, help and labels.

what:       prometheus objects; label values are names from the settings, rule names and reply codes, never addresses
knows not:  why anybody counts
standard:   DESIGN §3 observe; docs/metrics.md is generated from this file
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 14400, 86400)

CONNECTIONS = Gauge("briefgeheim_connections", "Open SMTP sessions", ["listener"], multiprocess_mode="livesum")
LOGIN_FAILURES = Counter("briefgeheim_login_failures", "Failed SMTP logins", ["listener"])
ACCEPTED = Counter("briefgeheim_messages_accepted", "Messages answered with 250", ["organisation", "client"])
REJECTED = Counter(
    "briefgeheim_messages_rejected",
    "Messages, and recipients at RCPT, answered with 4xx or 5xx",
    ["organisation", "client", "code"],
)
DECISIONS = Counter("briefgeheim_decisions", "Decisions per recipient", ["organisation", "stream", "action", "rule"])
OBSERVED = Counter(
    "briefgeheim_observed",
    "Rules that would have refused a recipient and only reported it, because the stream is observed",
    ["organisation", "client", "stream", "rule"],
)
EDITS = Counter("briefgeheim_edits", "Edits made by filters", ["organisation", "filter", "kind"])
OUTCOMES = Counter(
    "briefgeheim_filter_outcomes", "What filters reported beside edits", ["organisation", "filter", "kind", "action"]
)
CONTENT_FOUND = Counter(
    "briefgeheim_content_found",
    "Different values of a personal kind found in the content of mail, the organisation's own left out",
    ["organisation", "kind"],
)
CONTENT_UNREAD = Counter(
    "briefgeheim_content_unread", "Parts of mail that could not be looked into", ["organisation", "why"]
)
QUARANTINED = Counter("briefgeheim_quarantined", "Messages set aside after a fault of ours", ["organisation"])
QUEUE_ROWS = Gauge(
    "briefgeheim_queue_rows", "Rows in the spool", ["organisation", "stream", "state"], multiprocess_mode="livesum"
)
QUEUE_OLDEST = Gauge("briefgeheim_queue_oldest_seconds", "Age of the oldest queued row", multiprocess_mode="livemax")
PROVIDER_ANSWERS = Counter(
    "briefgeheim_provider_answers", "Final answers of providers", ["organisation", "provider", "code"]
)
PROVIDER_TROUBLE = Counter(
    "briefgeheim_provider_trouble", "Connection, TLS, login or rate trouble", ["organisation", "provider", "kind"]
)
DELIVERY_SECONDS = Histogram(
    "briefgeheim_delivery_seconds", "From our 250 to the provider's", ["organisation"], buckets=_SECONDS
)
UNCERTAIN = Counter(
    "briefgeheim_uncertain", "Attempts whose final reply was lost (a second copy is possible)", ["organisation"]
)
BLOCKED_LATE = Counter(
    "briefgeheim_blocked_late",
    "Rows stopped by the decision right before MAIL FROM",
    ["organisation", "stream", "rule"],
)
OPT_OUTS = Counter(
    "briefgeheim_opt_outs", "Opt-outs by link or button that the mail workers took in", ["organisation", "scope"]
)
PAGE_OPT_OUTS = Counter(
    "briefgeheim_page_opt_outs", "Opt-outs that the page stored and confirmed", ["organisation", "scope", "way"]
)
OPT_OUT_EFFECT_SECONDS = Histogram(
    "briefgeheim_opt_out_effect_seconds",
    "From storing an opt-out to its first effect on decisions",
    ["organisation"],
    buckets=(0.01, 0.05, 0.1, 0.2, 0.5, 1, 5, 60, 3600, 86400),
)
RIGHTS_OPEN = Gauge(
    "briefgeheim_rights_open",
    "Requests of people not closed yet",
    ["organisation", "kind"],
    multiprocess_mode="livemax",
)
RIGHTS_OVERDUE = Gauge(
    "briefgeheim_rights_overdue",
    "Requests of people without an answer behind their last day",
    ["organisation", "kind"],
    multiprocess_mode="livemax",
)
RIGHTS_AGE = Gauge(
    "briefgeheim_rights_age_seconds",
    "Requests of people without an answer that came in at most `le` seconds ago, in whole days",
    ["organisation", "le"],
    multiprocess_mode="livemax",
)
RIGHTS_EFFECT = Gauge(
    "briefgeheim_rights_effect_seconds_max",
    "Longest time from entering a request until sending was blocked, over the open ones",
    ["organisation"],
    multiprocess_mode="livemax",
)
RETENTION_OLDEST = Gauge(
    "briefgeheim_retention_oldest_seconds",
    "Age of the oldest data of a class that is left after the last purge",
    ["organisation", "class"],
    multiprocess_mode="livemax",
)
RETENTION_LIMIT = Gauge(
    "briefgeheim_retention_limit_seconds",
    "How old data of a class could get at the last purge",
    ["organisation", "class"],
    multiprocess_mode="livemax",
)
PURGED = Counter("briefgeheim_purged", "Things past their term that were deleted", ["organisation", "class"])
BREACH_OPEN = Gauge("briefgeheim_breach_open", "Breaches not closed yet", ["organisation"], multiprocess_mode="livemax")
BREACH_HOURS_LEFT = Gauge(
    "briefgeheim_breach_hours_left",
    "Hours in which the authority must hear of the most urgent breach; 72 while there is none to report",
    ["organisation"],
    multiprocess_mode="livemax",
)
HOLD_ALERTS = Counter(
    "briefgeheim_hold_alerts",
    "Held contract or safety mail that a person was told of at once",
    ["organisation", "stream"],
)
PROBE_OK = Gauge(
    "briefgeheim_probe_ok",
    "1 while the last probe of the opt-out succeeded",
    ["organisation"],
    multiprocess_mode="livemax",
)
PROBE_AGE = Gauge(
    "briefgeheim_probe_age_seconds",
    "Since the last probe that succeeded",
    ["organisation"],
    multiprocess_mode="livemax",
)
OPT_OUT_PAUSED = Gauge(
    "briefgeheim_opt_out_paused",
    "1 while mail with an opt-out link is held because the opt-out does not work",
    ["organisation"],
    multiprocess_mode="livemax",
)
REGISTRY_TROUBLE = Gauge(
    "briefgeheim_registry_trouble",
    "1 while decisions cannot rest on the registry",
    ["organisation"],
    multiprocess_mode="livemax",
)
SPOOL_TROUBLE = Gauge("briefgeheim_spool_trouble", "1 while the spool cannot store", multiprocess_mode="livemax")
SELF_CHECKS = Counter(
    "briefgeheim_self_checks", "First copies read by a second parser before they left", ["organisation", "result"]
)
OVERRIDES = Counter(
    "briefgeheim_overrides", "Held mail released or dropped by a named operator", ["organisation", "act", "rule"]
)
API_REQUESTS = Counter(
    "briefgeheim_api_requests", "Requests to the API for client systems", ["organisation", "client", "code"]
)
WEBHOOK_CALLS = Counter(
    "briefgeheim_webhook_calls",
    "Calls of webhooks; outcome ok, a reply code or a fault",
    ["organisation", "webhook", "outcome"],
)
WEBHOOK_WAITING = Gauge(
    "briefgeheim_webhook_waiting",
    "Events a webhook's receiver has not taken yet, at most 200 are counted",
    ["organisation", "webhook"],
    multiprocess_mode="livemax",
)
COMPARED = Counter(
    "briefgeheim_compared_addresses",
    "Addresses in mail held against other copies of its campaign; sameness common, individual or unknown",
    ["organisation", "sameness"],
)
UNCOMPARED = Counter(
    "briefgeheim_uncompared",
    "Mails compared without what other workers saw, because the store of campaigns was away",
    ["organisation"],
)
ONE_CLICK_UNSIGNED = Counter(
    "briefgeheim_one_click_unsigned",
    "Mails that got no one-click field because it would not be signed",
    ["organisation"],
)
FAULTS = Counter("briefgeheim_faults", "Faults of ours that were caught at a boundary", ["where"])
TRACKERS_VERSION = Gauge(
    "briefgeheim_trackers_info",
    "1 for the version (a date) of the shipped facts about trackers in force",
    ["version"],
    multiprocess_mode="livemax",
)
SETTINGS_NAME = "briefgeheim_settings_info"
SETTINGS_VERSION = Gauge(SETTINGS_NAME, "1 for the settings version in force", ["version"], multiprocess_mode="livemax")
