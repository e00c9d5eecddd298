"""Reading what belongs to the account: its balance, its models, its files."""

import time
from datetime import datetime
from decimal import Decimal
from typing import Any

from veogen.gateway.advice import advice_for
from veogen.gateway.answers import Balance, Quota, Unread, Upload
from veogen.gateway.envelope import (
    balance_of,
    complaint,
    credits_of,
    mapping,
    number,
    parse_object,
    retry_after,
)
from veogen.gateway.exchange import Answer
from veogen.gateway.text import clean
from veogen.terminal import is_plain

_LONGEST_URL = 2048
_MILLISECONDS = 10**11  # a Unix time beyond this counts milliseconds


def read_balance(answer: Answer) -> Balance | None:
    """The balance; None when it is no such answer."""
    data = mapping(parse_object(answer.body).get("data"))
    key, user = mapping(data.get("token")), mapping(data.get("user"))
    user_remaining = balance_of(user.get("remaining_credits"))
    key_remaining = balance_of(key.get("remaining_credits"))
    unlimited = key.get("unlimited_credits") is True
    if user_remaining is None or (key_remaining is None and not unlimited):
        return None
    return Balance(
        key_remaining=None if unlimited else key_remaining,
        key_used=credits_of(key.get("used_credits")) or Decimal("0.000"),
        user_remaining=user_remaining,
        user_used=credits_of(user.get("used_credits")) or Decimal("0.000"),
    )


def read_models(answer: Answer) -> frozenset[str] | None:
    """The ids of models; None when it is no such answer."""
    items = parse_object(answer.body).get("data")
    if not isinstance(items, list):
        return None
    ids = (clean(mapping(item).get("id"), limit=200) for item in items)
    return frozenset(filter(None, ids))


def read_upload(answer: Answer) -> Upload | None:
    """An uploaded file; None when the answer does not say where it is."""
    data = _file_data(answer)
    file_id, url = data.get("file_id"), data.get("file_url")
    if not isinstance(file_id, str) or not is_plain(file_id, limit=200):
        return None
    if not isinstance(url, str) or not is_plain(url, limit=_LONGEST_URL):
        return None
    return Upload(file_id=file_id, url=url, expires_at=_time(data.get("expires_at")))


def read_quota(answer: Answer) -> Quota | None:
    """The quota of files; None when it is no such answer."""
    data = _file_data(answer)
    used, limit = number(data.get("used_files")), number(data.get("max_files"))
    if used is None or limit is None:
        return None
    remaining = number(data.get("remain_files"))
    return Quota(
        used=int(used),
        limit=int(limit),
        remaining=max(int(limit - used), 0) if remaining is None else int(remaining),
    )


def own_failure(answer: Answer, *, secret: str = "") -> Unread | None:
    """A failure that is reported in an envelope with `success`, whatever the HTTP status."""
    if b'"success"' not in answer.body:  # tasks have none: no need to read all of them twice
        return None
    data = parse_object(answer.body)
    if data.get("success") is not False:
        return None
    said = complaint(answer, secret=secret)
    code = clean(data.get("code"), secret=secret, limit=80) or said.code
    return Unread(
        code=code,
        message="; ".join(filter(None, (said.message, advice_for(code)))),
        status=answer.status,
        retry_after=retry_after(answer.headers, now=time.time()),
        denied=answer.status in (401, 403),
    )


def _file_data(answer: Answer) -> Any:
    data = parse_object(answer.body)
    return mapping(data.get("data")) if data.get("success") is not False else {}


def _time(value: object) -> float | None:
    found = number(value)
    if found is not None:
        return float(found / 1000 if found > _MILLISECONDS else found)
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        # A time without a zone is of no known zone: better none than one that is hours off.
        return moment.timestamp() if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
