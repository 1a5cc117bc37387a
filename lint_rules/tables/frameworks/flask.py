"""Flask, Quart, Werkzeug and Flask-RESTful."""

from __future__ import annotations

from .framework import VERBS, Framework, Sends, names_in

_MODULES = ("flask", "quart")
_RESPONSES = (
    *names_in(_MODULES, ("Response", "wrappers.Response")), "werkzeug.Response", "werkzeug.wrappers.Response",
    "werkzeug.wrappers.response.Response",
)  # fmt: skip

FLASK = Framework(
    "Flask and Quart",
    sends=(
        Sends(
            (
                *_RESPONSES,
                *names_in(
                    _MODULES,
                    ("make_response", "jsonify", "json.jsonify", "redirect", "helpers.make_response", "Response"),
                ),
                "werkzeug.utils.redirect", ".response_class", ".make_response",
            )
        ),
        Sends(
            names_in(
                _MODULES,
                ("render_template", "render_template_string", "stream_template", "templating.render_template"),
            ),
            (),
            "a template",
        ),
        Sends(names_in(_MODULES, ("flash",)), (0, "message"), "a message on the next page"),
        Sends(
            names_in((*_MODULES, "werkzeug.exceptions", "flask_restful", "flask_restx"), ("abort",)),
            (1, 2, "description", "response", "message", "error", "errors"),
            "an error response",
        ),
        Sends(("werkzeug.exceptions.*",), (0, 1, "description", "response"), "an error response"),
        Sends(
            names_in(("quart.websocket",), ("send", "send_json", "close")), (0, 1, "reason"), "a web socket's message"
        ),
    ),
    responses=_RESPONSES,
    gives={
        **dict.fromkeys(names_in(_MODULES, ("make_response", "jsonify", "redirect")), "flask.Response"),
        "werkzeug.utils.redirect": "flask.Response",
        ".make_response": "flask.Response",
        ".response_class": "flask.Response",
    },
    routes=(".add_url_rule", ".websocket"),
    views={
        **dict.fromkeys(
            ("flask.views.MethodView", "quart.views.MethodView", "flask_restful.Resource", "flask_restx.Resource",
             "flask_restx.resource.Resource"),
            VERBS,
        ),
        "flask.views.View": frozenset({"dispatch_request"}),
        "quart.views.View": frozenset({"dispatch_request"}),
    },
    handlers=(".errorhandler", ".app_errorhandler", ".register_error_handler"),
    streams=(*_RESPONSES, ".response_class"),
)  # fmt: skip
