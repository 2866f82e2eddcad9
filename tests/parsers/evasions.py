"""Messages made so that two programs could see two different mails in them. Ours; nothing in them is from elsewhere.

Each has the name of what it tries. `HTML` is what would be hidden from the filters.
"""

from __future__ import annotations

import base64

HEAD = b"From: cursus@school.example\r\nTo: jan@thuis.example\r\nSubject: proef\r\nMIME-Version: 1.0\r\n"
HTML = b"<p>Dag <img src=https://meten.example/p.gif width=1 height=1></p>"
PACKED = base64.b64encode(HTML)
TEXT_PART = b"Content-Type: text/plain\r\n\r\nDag\r\n"
HTML_PART = b"Content-Type: text/html\r\n\r\n" + HTML + b"\r\n"


def message(fields: bytes, body: bytes) -> bytes:
    return HEAD + fields + b"\r\n" + body


def mixed(boundary: bytes, *parts: bytes, line: bytes = b"b", close: bytes | None = None) -> bytes:
    """A multipart whose Content-Type says `boundary` (as written) and whose delimiters are `--line`."""
    body = b"".join(b"--" + line + b"\r\n" + part for part in parts)
    end = b"--" + line + b"--\r\n" if close is None else close
    return message(b"Content-Type: multipart/mixed; boundary=" + boundary + b"\r\n", body + end)


def typed(value: bytes, body: bytes = HTML) -> bytes:
    return message(b"Content-Type: " + value + b"\r\n", body + b"\r\n")


def encoded(value: bytes, body: bytes = PACKED) -> bytes:
    return message(b"Content-Type: text/html\r\nContent-Transfer-Encoding: " + value + b"\r\n", body + b"\r\n")


def part_with(header: bytes, body: bytes = HTML) -> bytes:
    return mixed(b"b", TEXT_PART, header + b"\r\n" + body + b"\r\n")


_INNER = b"--in\r\n" + TEXT_PART + b"--in--\r\n"
_NESTED = b'Content-Type: multipart/alternative; boundary="%s"\r\n\r\n'

EVASIONS: dict[str, bytes] = {
    # Content-Type
    "two Content-Type fields, text first": message(
        b"Content-Type: text/plain\r\nContent-Type: text/html\r\n", HTML + b"\r\n"
    ),
    "two Content-Type fields in a part": part_with(b"Content-Type: text/plain\r\nContent-Type: text/html\r\n"),
    "two Content-Type fields, one multipart": message(
        b"Content-Type: text/plain\r\ncontent-type: multipart/mixed; boundary=b\r\n",
        b"--b\r\n" + HTML_PART + b"--b--\r\n",
    ),
    "two boundary parameters": mixed(b"a; boundary=b", HTML_PART),
    "two boundary parameters, the first counts": mixed(b"b; boundary=a", HTML_PART),
    "a plain and an extended boundary": mixed(b"a; boundary*=utf-8''b", HTML_PART),
    "a boundary only in the extended form": mixed(b"a", HTML_PART).replace(b"boundary=a", b"boundary*=utf-8''b"),
    "a boundary in segments": mixed(b"a", HTML_PART, line=b"bc").replace(b"boundary=a", b"boundary*0=b; boundary*1=c"),
    "a boundary in segments out of order": mixed(b"a", HTML_PART, line=b"bc").replace(
        b"boundary=a", b"boundary*1=c; boundary*0=b"
    ),
    "an encoded word as boundary": mixed(b'"=?utf-8?q?b?="', HTML_PART),
    "an encoded word as boundary, read literally": mixed(b'"=?utf-8?q?b?="', HTML_PART, line=b"=?utf-8?q?b?="),
    "a comment before the boundary": mixed(b"(a) b", HTML_PART),
    "a comment in the boundary": mixed(b"b(a)", HTML_PART),
    "a comment in the boundary, read literally": mixed(b"b(a)", HTML_PART, line=b"b(a)"),
    "a comment in the type": typed(b"text/(plain)html"),
    "a comment before the type": typed(b"(text/plain) text/html"),
    "a comment after the type": typed(b"text/html (text/plain)"),
    "an open comment": mixed(b"b (niet dicht", HTML_PART),
    "an open comment before the boundary": mixed(b"a", HTML_PART).replace(b"boundary=a", b"(x; boundary=b"),
    "a quoted boundary with text after it": mixed(b'"b"c', HTML_PART),
    "a quoted boundary with text before it": mixed(b'b"c"', HTML_PART),
    "a quote that never closes": mixed(b'"b', HTML_PART),
    "a boundary in single quotes": mixed(b"'b'", HTML_PART),
    "a boundary in single quotes, read literally": mixed(b"'b'", HTML_PART, line=b"'b'"),
    "a backslash in the boundary": mixed(b'"\\b"', HTML_PART),
    "a backslash in a token": mixed(b"\\b", HTML_PART),
    "a semicolon in the boundary": mixed(b'"b;c"', HTML_PART, line=b"b;c"),
    "an empty boundary": mixed(b'""', HTML_PART, line=b""),
    "no boundary at all": message(b"Content-Type: multipart/mixed\r\n", b"--b\r\n" + HTML_PART + b"--b--\r\n"),
    "the boundary on a folded line": mixed(b"\r\n b", HTML_PART),
    "a fold inside a quoted boundary": mixed(b'"b\r\n c"', HTML_PART, line=b"b c"),
    "a boundary that ends with a space": mixed(b'"b "', HTML_PART),
    "a boundary that ends with a space, written so": mixed(b'"b "', HTML_PART, line=b"b "),
    "a boundary with a space before the equals sign": message(
        b"Content-Type: multipart/mixed; boundary = b\r\n", b"--b\r\n" + HTML_PART + b"--b--\r\n"
    ),
    "commas between the parameters": message(
        b"Content-Type: multipart/mixed, boundary=b\r\n", b"--b\r\n" + HTML_PART + b"--b--\r\n"
    ),
    "no semicolon before the boundary": message(
        b"Content-Type: multipart/mixed boundary=b\r\n", b"--b\r\n" + HTML_PART + b"--b--\r\n"
    ),
    "two semicolons before the boundary": mixed(b"a", HTML_PART).replace(b"; boundary=a", b";; boundary=b"),
    "a boundary with characters beyond ASCII": mixed('"é"'.encode(), HTML_PART, line="é".encode()),
    "a boundary with Latin-1 octets": mixed(b'"\xe9"', HTML_PART, line=b"\xe9"),
    "a boundary over 70 characters": mixed(b"b" * 200, HTML_PART, line=b"b" * 200),
    "a boundary in another case": mixed(b"B", HTML_PART),
    "a type without subtype": typed(b"html"),
    "a type with a space in it": typed(b"text/ html"),
    "a type with two slashes": typed(b"text/html/plain"),
    "an empty type": typed(b""),
    "a quoted type": typed(b'"text/html"'),
    "a type with 8-bit octets": typed(b"text/html\xa0"),
    "a type that ends with a colon": typed(b"text/html: charset=utf-8"),
    "two types in one value": typed(b"text/plain, text/html"),
    "a multipart with an unknown subtype": mixed(b"b", HTML_PART).replace(b"/mixed", b"/wat-dan-ook"),
    "a multipart without subtype": mixed(b"b", HTML_PART).replace(b"multipart/mixed", b"multipart"),
    "a multipart with an empty subtype": mixed(b"b", HTML_PART).replace(b"multipart/mixed", b"multipart/"),
    # Delimiters
    "no closing boundary": mixed(b"b", TEXT_PART, HTML_PART, close=b""),
    "no closing boundary, and a line like one": mixed(b"b", TEXT_PART, HTML_PART, close=b"--b-\r\n"),
    "no closing boundary behind a header": mixed(b"b", TEXT_PART, b"Content-Type: text/html\r\n", close=b""),
    "no closing boundary inside, and it comes back": mixed(
        b"b", _NESTED % b"in" + b"--in\r\n" + HTML_PART, TEXT_PART + b"--in\r\n" + HTML_PART + b"--in--\r\n"
    ),
    "a header that ends at a boundary": mixed(b"b", b"Content-Type: text/html\r\n\r\n", HTML_PART),
    "the closing boundary twice": mixed(b"b", TEXT_PART, HTML_PART) + b"\r\n--b--\r\n",
    "the closing boundary twice with a part between": mixed(b"b", TEXT_PART) + HTML_PART + b"--b--\r\n",
    "a part after the closing boundary": mixed(b"b", TEXT_PART) + b"--b\r\n" + HTML_PART + b"--b--\r\n",
    "a boundary that begins another": mixed(b"b", _NESTED % b"bb" + b"--bb\r\n" + HTML_PART + b"--bb--\r\n"),
    "a boundary that another begins": mixed(b"bb", _NESTED % b"b" + b"--b\r\n" + HTML_PART + b"--b--\r\n", line=b"bb"),
    "the same boundary twice": mixed(b"b", _NESTED % b"b" + b"--b\r\n" + HTML_PART + b"--b--\r\n"),
    "an inner part that the outer boundary ends": mixed(b"b", _NESTED % b"in" + b"--in\r\n" + HTML_PART, TEXT_PART),
    "an inner boundary after the outer part ended": mixed(
        b"b", _NESTED % b"in" + _INNER, TEXT_PART + b"--in\r\n" + HTML_PART
    ),
    "white space after the boundary": mixed(b"b", HTML_PART, line=b"b \t"),
    "white space before the boundary": mixed(b"b", HTML_PART, line=b" b"),
    "text after the boundary": mixed(b"b", TEXT_PART, close=b"--b x\r\n" + HTML_PART + b"--b--\r\n"),
    "a closing boundary with text after it": mixed(b"b", TEXT_PART, close=b"--b--x\r\n" + HTML_PART + b"--b--\r\n"),
    "a closing boundary alone": mixed(b"b", close=b"--b--\r\n" + HTML_PART),
    "the boundary as the first line of the body": message(
        b"Content-Type: multipart/mixed; boundary=b\r\n", b"--b\r\n" + HTML_PART + b"--b--"
    ),
    "the boundary without a line of its own": mixed(b"b", TEXT_PART, close=b"x--b\r\n" + HTML_PART + b"--b--\r\n"),
    "parts without a blank line": mixed(b"b", b"Content-Type: text/html\r\n", HTML_PART),
    "a part of nothing": mixed(b"b", b"", HTML_PART),
    "a boundary line in the header of a part": mixed(b"b", b"Content-Type: text/plain\r\n--b\r\n" + HTML_PART),
    # Transfer encoding
    "two transfer encodings": message(
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n",
        PACKED + b"\r\n",
    ),
    "a transfer encoding with more words": encoded(b"base64 x"),
    "a transfer encoding with a comment": encoded(b"base64 (x)"),
    "a comment before the transfer encoding": encoded(b"(7bit) base64"),
    "a transfer encoding in quotes": encoded(b'"base64"'),
    "a transfer encoding with a semicolon": encoded(b"base64;"),
    "a transfer encoding with a parameter": encoded(b"base64; x=7bit"),
    "a misspelt identity": encoded(b"7-bit", HTML),
    "a charset as transfer encoding": encoded(b"utf-8", HTML),
    "a misspelt base64": encoded(b"base-64"),
    "base64 in capitals": encoded(b"BASE64"),
    "an unknown transfer encoding": encoded(b"x-geheim", HTML),
    "an empty transfer encoding": encoded(b"", HTML),
    "a transfer encoding on a folded line": encoded(b"\r\n base64"),
    "uuencode": encoded(b"x-uuencode", b"begin 644 x\r\n#0V%T\r\n`\r\nend"),
    "base64 with padding in the middle": encoded(b"base64", base64.b64encode(b"<p>a") + base64.b64encode(HTML)),
    "base64 with other characters": encoded(b"base64", PACKED[:8] + b"*-_." + PACKED[8:]),
    "base64 that stops short": encoded(b"base64", PACKED[:-3]),
    "base64 with text after the padding": encoded(b"base64", base64.b64encode(b"<p>a") + b"\r\n" + HTML),
    "quoted-printable with broken escapes": encoded(b"quoted-printable", b"=3Cp=ZZ=3E =3=\r\nD x="),
    "quoted-printable with small letters": encoded(b"quoted-printable", b"=3cp=3e"),
    "base64 of a multipart": message(
        b"Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64\r\n",
        base64.b64encode(b"--b\r\n" + HTML_PART + b"--b--\r\n") + b"\r\n",
    ),
    "a multipart that says base64 and is not": message(
        b"Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64\r\n",
        b"--b\r\n" + HTML_PART + b"--b--\r\n",
    ),
    "a multipart that says quoted-printable": message(
        b"Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: quoted-printable\r\n",
        b"--b\r\n" + HTML_PART + b"--b--\r\n",
    ),
    "an attached message in base64": part_with(
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n",
        base64.b64encode(message(b"Content-Type: text/html\r\n", HTML)),
    ),
    "an attached message in quoted-printable": part_with(
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: quoted-printable\r\n",
        b"Content-Type: text/html\r\n\r\n=3Cp=3E",
    ),
    # Header lines
    "a space before the colon": message(b"Content-Type : text/html\r\n", HTML + b"\r\n"),
    "a space before the colon in a part": part_with(b"Content-Type : text/html\r\n"),
    "a tab before the colon of the encoding": part_with(
        b"Content-Type: text/html\r\nContent-Transfer-Encoding\t: base64\r\n", PACKED
    ),
    "a continuation as the first line": b" x\r\n" + message(b"Content-Type: text/html\r\n", HTML),
    "a continuation as the first line of a part": part_with(b" x\r\nContent-Type: text/html\r\n"),
    "a line without colon in the header": message(b"geen veld\r\nContent-Type: text/html\r\n", HTML),
    "a line without colon in a part": part_with(b"geen veld\r\nContent-Type: text/html\r\n"),
    "a line of blanks in the header": message(b"X-Een: een\r\n \r\nContent-Type: text/html\r\n", HTML),
    "a line of blanks in the header of a part": part_with(b"X-Een: een\r\n \t\r\nContent-Type: text/html\r\n"),
    "a field name with 8-bit octets": message("Contént-Type: text/html\r\n".encode(), HTML),
    "a field name with 8-bit octets in a part": part_with("X-é: x\r\nContent-Type: text/html\r\n".encode()),
    "a mark of byte order before the header": b"\xef\xbb\xbf" + message(b"Content-Type: text/html\r\n", HTML),
    "a mark of byte order before a part": part_with(b"\xef\xbb\xbfContent-Type: text/html\r\n"),
    "a field without a name": message(b": leeg\r\nContent-Type: text/html\r\n", HTML),
    "a vertical tab at the start of a line": part_with(b"X-Een: een\r\n\x0bContent-Type: text/html\r\n"),
    "a form feed in the type": typed(b"text/html\x0c"),
    "a From line in the header": message(b"From iemand Tue Nov 18\r\nContent-Type: text/html\r\n", HTML),
    "a From line before a part": part_with(b"From iemand Tue Nov 18\r\nContent-Type: text/html\r\n"),
    "blanks before the header": b" \t\r\n" + message(b"Content-Type: text/html\r\n", HTML),
    "blanks and a line of text before the header": b" \r\nDag\r\n" + message(b"Content-Type: text/html\r\n", HTML),
    "a blank line before the header": b"\r\n" + message(b"Content-Type: text/html\r\n", HTML),
    "no blank line after the header": HEAD + b"Content-Type: text/html\r\n",
    "a header that ends with the message": HEAD + b"Content-Type: text/html",
    "a dash line instead of a header": mixed(b"b", b"--\r\n" + HTML_PART),
    "a NUL": message(b"Content-Type: text/html\r\n", b"\0" + HTML),
    "a NUL in the type": typed(b"text/html\0"),
    "a bare line feed in the header": message(b"X-Een: een\nContent-Type: text/html\r\n", HTML),
    "a bare carriage return in the header": message(b"X-Een: een\rContent-Type: text/html\r\n", HTML),
    "a bare line feed before a boundary": mixed(b"b", TEXT_PART.rstrip() + b"\n--b\r\n" + HTML_PART),
    "another line end": typed(b"text/html", "a\u2028b\x85c".encode() + HTML),
    # Charsets
    "UTF-7": typed(b"text/html; charset=utf-7", b"+ADw-script+AD4-"),
    "UTF-16 without a mark": typed(b"text/html; charset=utf-16", "<p>é".encode("utf-16-le")),
    "two charsets": typed(b"text/html; charset=utf-8; charset=utf-16"),
    "a charset in the extended form": typed(b"text/html; charset*=us-ascii'en-us'utf-7"),
    # Parts of parts
    "a digest whose parts have no type": mixed(b"b", b"\r\nContent-Type: text/html\r\n\r\n" + HTML + b"\r\n").replace(
        b"multipart/mixed", b"multipart/digest"
    ),
    "an attached message without a header": part_with(b"Content-Type: message/rfc822\r\n", b"\r\n" + HTML),
    "an attached message with a broken header": part_with(
        b"Content-Type: message/rfc822\r\n", b"geen veld\r\nContent-Type: text/html\r\n\r\n" + HTML
    ),
    "an attached message with two types": part_with(
        b"Content-Type: message/rfc822\r\n", b"Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\n" + HTML
    ),
    "a multipart inside an attached message that the outer boundary ends": part_with(
        b"Content-Type: message/rfc822\r\n", _NESTED % b"in" + b"--in\r\n" + HTML_PART
    ),
    "a fragment": message(b"Content-Type: message/partial; id=1; number=1; total=1\r\n", HTML),
    "a body elsewhere": message(b"Content-Type: message/external-body; access-type=url; url=x\r\n", HTML),
    "a global message": part_with(b"Content-Type: message/global\r\n", b"Content-Type: text/html\r\n\r\n" + HTML),
    "a signed message without a signature": message(
        b'Content-Type: multipart/signed; boundary=b; protocol="application/pgp-signature"\r\n',
        b"--b\r\n" + HTML_PART + b"--b--\r\n",
    ),
}
