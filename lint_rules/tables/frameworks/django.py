"""Django and Django REST framework."""

from __future__ import annotations

from .framework import Framework, Sends, names_in

_HTTP = names_in(
    ("django.http", "django.http.response"),
    (
        "FileResponse", "HttpResponse", "HttpResponseBadRequest", "HttpResponseForbidden", "HttpResponseGone",
        "HttpResponseNotAllowed", "HttpResponseNotFound", "HttpResponsePermanentRedirect", "HttpResponseRedirect",
        "HttpResponseServerError", "JsonResponse", "StreamingHttpResponse",
    ),
)  # fmt: skip
_TEMPLATES = (
    "django.template.response.TemplateResponse", "django.template.response.SimpleTemplateResponse",
)  # fmt: skip
_REST = ("rest_framework.response.Response",)
_LEVELS = ("debug", "info", "success", "warning", "error")
_MESSAGES = ("django.contrib.messages", "django.contrib.messages.api")

DJANGO = Framework(
    "Django and Django REST framework",
    sends=(
        Sends((*_HTTP, *_REST, "django.shortcuts.redirect")),
        Sends((*_TEMPLATES, "django.shortcuts.render"), (1, 2, "context"), "a template"),
        Sends(names_in(_MESSAGES, _LEVELS), (1, "message"), "a message on the next page"),
        Sends(names_in(_MESSAGES, ("add_message",)), (2, "message"), "a message on the next page"),
        Sends(
            ("rest_framework.exceptions.*", "rest_framework.serializers.ValidationError"),
            (0, "detail"),
            "an error response",
        ),
        Sends(names_in(_HTTP, ("write", "writelines")), (0,)),
    ),
    responses=(*_HTTP, *_TEMPLATES, *_REST),
    gives={
        "django.shortcuts.render": "django.http.HttpResponse",
        "django.shortcuts.redirect": "django.http.HttpResponse",
        "rest_framework.views.exception_handler": _REST[0],
        ".get_response": "django.http.HttpResponse",
    },
    views={
        "django.views.generic.*": frozenset({"get_context_data"}),
    },
    streams=names_in(("django.http", "django.http.response"), ("StreamingHttpResponse", "FileResponse")),
)
