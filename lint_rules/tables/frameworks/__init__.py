"""Web frameworks, a table each: what sends something to a client."""

from __future__ import annotations

from typing import Final

from .aiohttp import AIOHTTP
from .django import DJANGO
from .flask import FLASK
from .framework import Framework, Sends
from .http_server import HTTP_SERVER
from .litestar import LITESTAR
from .starlette import STARLETTE
from .tornado import TORNADO

__all__ = ["FRAMEWORKS", "Framework", "Sends"]

FRAMEWORKS: Final = (STARLETTE, FLASK, DJANGO, TORNADO, AIOHTTP, LITESTAR, HTTP_SERVER)
