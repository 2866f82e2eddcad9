"""Names of header fields that an organisation adds or keeps."""

from __future__ import annotations

import pytest

from gateway.config.headers import Headers


def test_no_setting_means_the_lists_of_the_program() -> None:
    assert Headers() == Headers(receipts=(), private=(), keep=(), suppress_automatic_replies=False)


@pytest.mark.parametrize("key", ["receipts", "private", "keep"])
@pytest.mark.parametrize(
    "name", ["From", "date", "Content-Type", "LIST-UNSUBSCRIBE", "Resent-To", "X Y", "X:", "", "é"]
)
def test_a_name_is_one_of_a_field_that_mail_can_do_without(key: str, name: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        Headers.model_validate({key: [name]})
    assert getattr(Headers.model_validate({key: ["X-Mailer"]}), key) == ("X-Mailer",)
