"""The installed providers, for the admin."""

from __future__ import annotations

from starlette.responses import Response

from ..auth import Access
from .endpoint import Endpoint, Reply, RequestContext, json_response
from .models import ProviderOut
from .serializers import provider_out


async def list_providers(context: RequestContext) -> Response:
    """List the installed providers, with their distribution, hooks and status."""
    return json_response(  # plugport: allow[PP002] the reason why a provider failed is for administrators, to mend it
        [provider_out(provider) for provider in context.services.dispatcher.providers]
    )


ENDPOINTS = (Endpoint("GET", "/providers", list_providers, Access.ADMIN, {200: Reply(list[ProviderOut])}),)
