"""Forms of ours: what was filled in, and proof that the page with the form was ours too."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

MOST_FIELDS = 2_000
"""Of one form; the largest of ours has 500 comments that were picked by hand."""
FOREIGN = "This form is from an earlier start of the server. Load the page again."


class Fields:
    """The fields of a form; what is missing is empty. Raises HTTPException for more than any form of ours has."""

    def __init__(self, body: bytes) -> None:
        try:
            self._fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
        except ValueError:
            raise HTTPException(400, "More fields than any form of ours has.") from None

    def __getitem__(self, name: str) -> str:
        return self._fields.get(name, [""])[0]

    def number(self, name: str) -> int:
        """A whole number; raises HTTPException for anything else."""
        if not is_number(self[name]):
            raise HTTPException(400, f"The form lacks a number: {name}.")
        return int(self[name])

    def said(self) -> Any:
        """`spam` or `ok`; raises HTTPException for anything else."""
        if self["said"] not in ("spam", "ok"):
            raise HTTPException(400, "A decision is spam or ok.")
        return self["said"]

    def ours(self, token: str) -> bool:
        """Does the form hold the token that this server puts into every form of its own?"""
        return hmac.compare_digest(self["token"].encode("utf-8", "replace"), token.encode())


def posted(work: Callable[[Request, Fields], Response]) -> Callable[[Request], Awaitable[Response]]:
    """Makes an endpoint of a function that writes: the form is whole and ours before anything happens."""

    async def answer(request: Request) -> Response:
        fields = Fields(await request.body())
        if not fields.ours(request.app.state.desk.token):
            raise HTTPException(403, FOREIGN)
        return await run_in_threadpool(work, request, fields)

    return answer


def is_number(text: str) -> bool:
    """The number of a row, as an address or a form has it."""
    return text.isascii() and text.isdecimal() and 0 < len(text) < 19
