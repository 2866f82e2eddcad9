"""One SMTP session: the verbs, their order, and who may use them.

what:       `Session`, every `smtp_*` method of aiosmtpd replaced by one of ours
takes→gives: command lines and message octets → `Envelope` and content for `accept`; its `Reply` back
knows not:  policy, spool, MIME
fails by:   a reply; every escape is 451 4.3.0 (I-3)
standard:   RFC 5321 4.1, 4.3; 3207; 4954; 6409; R-001, R-009, R-020..R-022, R-097, R-099, R-115
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from gateway import reply
from gateway.envelope import Envelope, Peer, Recipient
from gateway.ingress import auth
from gateway.ingress.clients import Ambiguous, ClientEntry
from gateway.ingress.data import DataReader
from gateway.ingress.limits import Pace
from gateway.ingress.parameters import MailCommand, Refused, parse_mail, parse_recipient
from gateway.ingress.shared import fault, final, orphaned
from gateway.ingress.wire import LONGEST_LINE, Goodbye, LineTooLong, PeerGone, Wire
from gateway.observe import maillog, metrics
from gateway.reply import Reply

_COMMAND_LIMIT = 512
"""RFC 5321 4.5.3.1.4, with CR LF; the others are this and what each extension adds (R-008)."""
_COMMAND_LIMITS = {
    "MAIL": _COMMAND_LIMIT + 26 + 17 + 10 + 500 + 100,  # SIZE, BODY, SMTPUTF8, AUTH, ENVID
    "RCPT": _COMMAND_LIMIT + 500,  # ORCPT
    "AUTH": LONGEST_LINE,
}
_TOGETHER = frozenset({"MAIL", "RCPT", "RSET"})
"""Verbs whose replies may wait for each other (RFC 2920 3.2)."""
_BEFORE_TLS = frozenset({"EHLO", "HELO", "NOOP", "RSET", "QUIT", "STARTTLS", "AUTH"})
_NOT_MAIL = frozenset({"GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH", "CONNECT", "BDAT"})
"""What follows these is content, not commands: a browser made to talk to this port, or chunks we never offered."""
_HELO_LIMIT = 255
_BREATH = 64  # commands of one client in a row before others get their turn


@dataclass(slots=True)
class Transaction:
    """From MAIL to the end of DATA."""

    client: ClientEntry
    mail: MailCommand
    recipients: list[Recipient] = field(default_factory=list)
    refused: int = 0


class Session(Wire):
    """State of one client: what it said at EHLO, who it is, its open transaction."""

    _helo = ""
    _extended = False
    _login: str | None = None
    _transaction: Transaction | None = None
    _in_content = False
    _errors = 0
    _failed_logins = 0

    # -- the conversation ------------------------------------------------------------------------------------------

    async def _converse(self) -> None:
        if not self._counted:
            raise Goodbye(reply.TOO_MANY_CONNECTIONS)
        await self.push(reply.greeting(self.hostname))
        count = 0
        while True:
            if self._shared.draining and not self._busy():
                raise Goodbye(reply.SHUTTING_DOWN)
            verb = await self._command()
            count += 1
            if verb not in _TOGETHER:
                await self._flush()
            if count % _BREATH == 0:
                await asyncio.sleep(0)

    async def _command(self) -> str:
        """Read one command, do it, answer it. Gives its verb."""
        verb = ""
        try:
            line = await self._command_line()
            word, _, rest = line.partition(b" ")
            verb = word.decode("ascii", "replace").upper()
            await self._do(verb, str(rest.strip(b" "), "utf-8", "surrogateescape"), len(line) + 2)
        except Refused as refused:
            await self._refuse(refused.reply)
        except LineTooLong:
            await self._refuse(reply.LINE_TOO_LONG)
        except (Goodbye, PeerGone):
            raise
        except asyncio.CancelledError as error:
            # Cancelled are we only when the connection is lost. Else something we asked was, which is a fault.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            await self._fault(error)
        except Exception as error:  # noqa: BLE001  the boundary: every escape is 451, and its text stays here (I-3)
            await self._fault(error)
        return verb

    async def _command_line(self) -> bytes:
        self._reset_timeout()
        self._resting = True
        try:
            return (await self._line()).rstrip(b" \t")
        finally:
            self._resting = False

    async def _do(self, verb: str, argument: str, octets: int) -> None:
        if verb in _NOT_MAIL:
            raise Goodbye(reply.UNRECOGNIZED)
        method = self._smtp_methods.get(verb)
        if method is None:
            raise Refused(reply.UNRECOGNIZED)
        if octets > _COMMAND_LIMITS.get(verb, _COMMAND_LIMIT):
            raise Refused(reply.LINE_TOO_LONG)
        if self._is_submission() and verb not in _BEFORE_TLS and not self._tls_version():
            raise Refused(reply.TLS_REQUIRED)
        await method(argument)

    async def _refuse(self, why: Reply) -> None:
        await self.push(why)
        if why.code >= 500:
            self._errors += 1
        if self._errors >= self._shared.limits.errors:
            raise Goodbye(reply.TOO_MANY_ERRORS)

    async def _fault(self, error: BaseException) -> None:
        fault(error)
        if self._in_content:
            raise Goodbye(reply.TRY_LATER)  # where the next command begins is not known any more
        await self.push(reply.TRY_LATER)

    def _busy(self) -> bool:
        return self._transaction is not None

    def _is_submission(self) -> bool:
        return self._listener.role == "submission"

    # -- greeting and small verbs ----------------------------------------------------------------------------------

    async def smtp_HELO(self, hostname: str) -> None:
        self._hello(hostname, extended=False)
        await self.push(reply.hello(self.hostname))

    async def smtp_EHLO(self, hostname: str) -> None:
        self._hello(hostname, extended=True)
        self._outbox += reply.extended_hello(self.hostname, self._keywords())

    def _hello(self, hostname: str, *, extended: bool) -> None:
        if not hostname:
            raise Refused(reply.SYNTAX)
        self._transaction = None
        self._extended = extended
        # It goes into the Received field: one word of plain characters.
        self._helo = "".join(c if c.isascii() and (c.isalnum() or c in "-._:[]") else "?" for c in hostname)[
            :_HELO_LIMIT
        ]

    def _keywords(self) -> list[str]:
        keywords = [
            f"SIZE {self._shared.limits.message_size}",
            "8BITMIME",
            "SMTPUTF8",
            "PIPELINING",
            "ENHANCEDSTATUSCODES",
            "DSN",
        ]
        if self._offers_starttls():
            keywords.append("STARTTLS")
        if self._offers_auth():
            keywords.append("AUTH " + " ".join(auth.MECHANISMS))
        return keywords

    def _offers_starttls(self) -> bool:
        return self._listener.tls == "starttls" and not self._tls_version()

    def _offers_auth(self) -> bool:
        return self._is_submission() and bool(self._tls_version())

    async def smtp_NOOP(self, arg: str) -> None:
        await self.push(reply.OK)

    async def smtp_RSET(self, arg: str) -> None:
        if arg:
            raise Refused(reply.SYNTAX)
        self._transaction = None
        await self.push(reply.OK)

    async def smtp_QUIT(self, arg: str) -> None:
        raise Goodbye(reply.BYE)

    async def smtp_VRFY(self, arg: str) -> None:
        if not arg:
            raise Refused(reply.SYNTAX)
        await self.push(reply.CANNOT_VERIFY)  # the same for everybody

    async def smtp_EXPN(self, arg: str) -> None:
        raise Refused(reply.NOT_IMPLEMENTED)

    async def smtp_HELP(self, arg: str) -> None:
        raise Refused(reply.NOT_IMPLEMENTED)

    # -- TLS and login ---------------------------------------------------------------------------------------------

    async def smtp_STARTTLS(self, arg: str) -> None:
        if arg:
            raise Refused(reply.SYNTAX)
        if self._starttls is None or self._listener.tls != "starttls":
            raise Refused(reply.NOT_IMPLEMENTED)
        if self._tls_version():
            raise Refused(reply.BAD_SEQUENCE)
        # RFC 3207 4.2: forget everything the client said in clear.
        self._transaction, self._helo, self._extended, self._login = None, "", False, None
        await self._start_tls(self._starttls)

    async def smtp_AUTH(self, arg: str) -> None:
        if (why := self._no_login_now(arg)) is not None:
            raise Refused(why)
        mechanism, _, initial = arg.partition(" ")
        try:
            presented = await self._present(mechanism.upper(), initial)
        except auth.BadAnswer:
            raise Refused(reply.AUTH_BAD_BASE64) from None
        self._stop_the_clock()
        client = await self._shared.login.check(self._shared.clients, presented)
        if client is None:
            await self._login_failed(reply.BAD_CREDENTIALS)
        elif not client.may_come_from(self._address):
            await self._login_failed(reply.NOT_ALLOWED_HERE)
        else:
            self._login = client.name
            await self.push(reply.AUTHENTICATED)

    def _no_login_now(self, arg: str) -> Reply | None:
        if not self._is_submission():
            return reply.NOT_IMPLEMENTED
        if not self._tls_version():
            return reply.AUTH_NEEDS_TLS
        if not self._extended or self._login is not None:
            return reply.BAD_SEQUENCE  # inside a transaction too: without a login there is none
        return None if 1 <= len(arg.split()) <= 2 else reply.SYNTAX

    async def _present(self, mechanism: str, initial: str) -> auth.Presented:
        if mechanism == "PLAIN":
            return auth.plain(await self._answer(b"", initial))
        if mechanism == "LOGIN":
            name = await self._answer(b"Username:", initial)
            return auth.login(name, await self._answer(b"Password:", ""))
        raise Refused(reply.UNKNOWN_MECHANISM)

    async def _answer(self, prompt: bytes, initial: str) -> bytes:
        """What the client says to `prompt`, or said already. Raises `BadAnswer`, `Refused` when it cancels."""
        if initial:
            return auth.decode_answer(initial.strip().encode("utf-8", "surrogateescape"))
        self._outbox += reply.challenge(prompt)
        line = await self._line()
        if line == b"*":
            raise Refused(reply.AUTH_CANCELLED)
        return auth.decode_answer(line)

    async def _login_failed(self, why: Reply) -> None:
        metrics.LOGIN_FAILURES.labels(self._listener.name).inc()
        maillog.login_failed(self._listener.name)
        self._failed_logins += 1
        await self._refuse(why)
        if self._failed_logins >= self._shared.limits.failed_logins:
            raise Goodbye(reply.TOO_MANY_ERRORS)

    # -- the transaction -------------------------------------------------------------------------------------------

    async def smtp_MAIL(self, arg: str | None) -> None:
        if not self._helo or self._busy():
            raise Refused(reply.BAD_SEQUENCE)
        client = self._client()
        mail = parse_mail(arg or "", extended=self._extended, auth_offered=self._offers_auth())
        if mail.size > self._shared.limits.message_size:
            raise Refused(reply.TOO_BIG)
        self._transaction = Transaction(client, mail)
        await self.push(reply.SENDER_OK)

    def _client(self) -> ClientEntry:
        """Who is this? Asked per transaction, so that new rules count at once. Raises `Refused`."""
        clients = self._shared.clients
        if self._is_submission():
            client = clients.get(self._login) if self._login is not None else None
        else:
            try:
                client = clients.by_network(self._address)
            except Ambiguous:
                raise Refused(reply.NOT_ALLOWED_HERE) from None
        if client is None:
            raise Refused(reply.AUTH_REQUIRED)
        if not client.may_come_from(self._address):
            raise Refused(reply.NOT_ALLOWED_HERE)
        return client

    async def smtp_RCPT(self, arg: str | None) -> None:
        transaction = self._transaction
        if transaction is None:
            raise Refused(reply.BAD_SEQUENCE)
        recipient = parse_recipient(arg or "", extended=self._extended, smtputf8=transaction.mail.smtputf8)
        if len(transaction.recipients) >= transaction.client.max_recipients:
            raise Refused(reply.TOO_MANY_RECIPIENTS)
        refusal = await self._blocked(transaction.client, recipient)
        if refusal is not None:
            transaction.refused += 1
            await self.push(refusal)
            return
        transaction.recipients.append(recipient)
        await self.push(reply.RECIPIENT_OK)

    async def _blocked(self, client: ClientEntry, recipient: Recipient) -> Reply | None:
        if client.refuse != "rcpt" or recipient.address.is_postmaster:
            return None  # postmaster is taken even when nothing can be asked
        self._stop_the_clock()
        answer = await self._shared.check_recipient(client.name, recipient.address)
        return None if answer is None or final(answer).positive else answer

    async def smtp_DATA(self, arg: str) -> None:
        transaction = self._transaction
        if transaction is None:
            raise Refused(reply.BAD_SEQUENCE)
        if arg:
            raise Refused(reply.SYNTAX)
        if not transaction.recipients:
            raise Refused(reply.NO_VALID_RECIPIENTS if transaction.refused else reply.BAD_SEQUENCE)
        self._transaction = None
        if self._shared.budget.exhausted:
            raise Refused(reply.CONGESTED)
        await self.push(reply.START_DATA)
        await self._flush()
        reader = await self._message()
        await (self._turn_down(transaction, reader) if reader.refusal else self._take(transaction, reader))

    async def _message(self) -> DataReader:
        """Read to the one true end. Raises `Goodbye` when that end is too far away."""
        reader = DataReader(self._shared.limits.message_size, self._shared.budget)
        pace = Pace(self.loop.time(), self._timeout_duration)
        self._in_content = True
        try:
            while (used := reader.feed(chunk := await self._chunk())) < 0:
                if reader.hopeless:
                    raise Goodbye(reader.refusal)
                self._late = reader.refusal or reply.IDLE
                self._wait_until(pace.deadline(self.loop.time(), reader.octets))
            self._inbox[:0] = chunk[used:]
            self._in_content = False
        finally:
            self._late = reply.IDLE
            if self._in_content:
                reader.release()
        return reader

    async def _turn_down(self, transaction: Transaction, reader: DataReader) -> None:
        why = reader.refusal or reply.TRY_LATER
        client = transaction.client
        metrics.REJECTED.labels(client.organisation, client.name, str(why.code)).inc()
        maillog.rejected(client.organisation, client.name, str(why))
        if reader.ambiguous:
            raise Goodbye(why)  # what follows may be what somebody wants us to take for a second message
        await self._refuse(why)

    async def _take(self, transaction: Transaction, reader: DataReader) -> None:
        self._stop_the_clock()
        task = self._shared.store(self._envelope(transaction), reader.content(), reader.release)
        try:
            answer = await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(orphaned)
            raise
        await self.push(answer)
        if answer.positive:
            self._errors = 0
        if answer.code == reply.SHUTTING_DOWN.code:
            raise Goodbye(None)

    def _envelope(self, transaction: Transaction) -> Envelope:
        mail = transaction.mail
        return Envelope(
            client=transaction.client.name,
            sender=mail.sender,
            recipients=tuple(transaction.recipients),
            peer=Peer(
                address=str(self._address or ""),
                helo=self._helo,
                tls=self._tls_version(),
                authenticated=self._login is not None,
                esmtp=self._extended,
            ),
            smtputf8=mail.smtputf8,
            eight_bit=mail.eight_bit,
            ret=mail.ret,
            envid=mail.envid,
        )
