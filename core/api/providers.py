"""The providers, for the admin."""

from __future__ import annotations

from starlette.responses import Response

from ..auth import Access
from . import serializers as shown
from .endpoint import Call, Endpoint, Reply, json_response
from .models import ProviderOut


async def list_providers(call: Call) -> Response:
    """Every provider that was found: from which distribution, with which hooks, and what became of it."""
    return json_response([shown.provider(one) for one in call.services.dispatcher.providers])


ENDPOINTS = (Endpoint("GET", "/providers", list_providers, Access.ADMIN, {200: Reply(list[ProviderOut])}),)
