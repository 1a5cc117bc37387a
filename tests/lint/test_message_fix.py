"""An exception's text in a response becomes a logged error and a fixed message."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest
from support.fixes import fixed_text

from plugport.lint_rules import SourceFile
from plugport.lint_rules.analysis.fixes.messages import fixed_message
from plugport.lint_rules.engine.tree import every_node

HEAD = "import logging\n\n"
LOG = 'logging.getLogger(__name__).exception("the request failed")'


def _fixed(text: str, marker: str = "Response(") -> str | None:
    file = SourceFile(Path("a.py"), "a.py", None, text.encode())
    nodes = [node for node in every_node(file.tree()) if isinstance(node, cst.Call | cst.Attribute | cst.Subscript)]
    node = next(node for node in nodes if file.text[slice(*file.offsets(node))].startswith(marker.strip("(")))
    return fixed_text(file.text, fixed_message(file, node))


@pytest.mark.parametrize(
    ("sent", "fixed"),
    [
        ("str(e)", '"the request failed"'),
        ("{'error': str(e), 'code': e.errno}", "{'error': \"the request failed\", 'code': e.errno}"),
        ("f'failed: {e!r}', 500", '"the request failed", 500'),
        ("'failed: ' + str(e).strip()", '"the request failed"'),
        ("'failed: %s' % e", '"the request failed"'),
        ("'failed: {}'.format(e)", '"the request failed"'),
        ("', '.join(e.args)", '"the request failed"'),
        ("e.args[0]", '"the request failed"'),
        ("content=[e]", 'content=["the request failed"]'),
        ("e", '"the request failed"'),
        ("json.dumps({'error': repr(e)})", "json.dumps({'error': \"the request failed\"})"),
        ("traceback.format_exc()", '"the request failed"'),
        ("''.join(traceback.format_exception(e))", '"the request failed"'),
        ("f'{type(e).__name__}: {e}'", '"the request failed"'),
        ("explain(str(e))", 'explain("the request failed")'),
        ("str(e), status_code=e.status_code", '"the request failed", status_code=e.status_code'),
        ("{\n            'error': str(e),\n        }", "{\n            'error': \"the request failed\",\n        }"),
    ],
)
def test_the_text_becomes_a_message_and_the_error_is_logged(sent, fixed):
    text = f"{HEAD}try:\n    f()\nexcept OSError as e:\n    return_(Response({{}}))\n"
    assert (
        _fixed(text.format(sent))
        == f"{HEAD}try:\n    f()\nexcept OSError as e:\n    {LOG}\n    return_(Response({fixed}))\n"
    )


def test_the_cause_of_an_error_stays():
    text = f"{HEAD}try:\n    f()\nexcept OSError as e:\n    raise HTTPException(500, str(e)) from e\n"
    assert f'    {LOG}\n    raise HTTPException(500, "the request failed") from e\n' in _fixed(text, "HTTPException")


@pytest.mark.parametrize(
    ("logs", "line"),
    [
        ("log = logging.getLogger('a')\n", '    log.exception("the request failed")\n'),
        (
            "from structlog import get_logger\n\nlogger = get_logger()\n",
            '    logger.exception("the request failed")\n',
        ),
        ("getLogger = 1\nlog = getLogger\n", f"    {LOG}\n"),
    ],
)
def test_the_module_s_logger_is_used(logs, line):
    text = f"{HEAD}{logs}\ntry:\n    f()\nexcept OSError as e:\n    x = Response(str(e))\n"
    assert f'{line}    x = Response("the request failed")\n' in _fixed(text)


def test_an_import_is_added_where_it_is_missing():
    text = "try:\n    f()\nexcept OSError as e:\n    x = Response(str(e))\n"
    assert _fixed(text).startswith("import logging\n\ntry:\n")


@pytest.mark.parametrize(
    "log", ["log.exception('x')", "self.logger.error('x: %s', e)", "log.warning('x', exc_info=True)"]
)
def test_what_is_logged_already_is_not_logged_twice(log):
    text = f"try:\n    f()\nexcept OSError as e:\n    {log}\n    x = Response(str(e))\n"
    assert _fixed(text) == text.replace("str(e)", '"the request failed"')


def test_a_text_that_was_made_before_is_fixed_where_it_is_made():
    text = f"{HEAD}try:\n    f()\nexcept OSError as e:\n    text = f'failed: {{e}}'\n    body = {{'error': text}}\n    x = Response(body)\n"
    assert _fixed(text) == text.replace(
        "    text = f'failed: {e}'\n", f'    {LOG}\n    text = "the request failed"\n'
    )


def test_an_error_that_was_handed_to_a_handler_is_logged_with_its_traceback():
    text = f"{HEAD}async def failed(request, exc: Exception):\n    return Response({{'e': str(exc)}})\n"
    assert _fixed(text) == (
        f"{HEAD}async def failed(request, exc: Exception):\n"
        '    logging.getLogger(__name__).error("the request failed", exc_info=exc)\n'
        "    return Response({'e': \"the request failed\"})\n"
    )


def test_a_header_that_is_set_is_a_place_too():
    text = f"{HEAD}try:\n    f()\nexcept OSError as e:\n    response.headers['X-Error'] = str(e)\n"
    assert f"    {LOG}\n    response.headers['X-Error'] = \"the request failed\"\n" in _fixed(
        text, "response.headers"
    )


@pytest.mark.parametrize(
    "sent",
    ["body(e)", "Failure(e).to_dict()", "helper()"],
)
def test_what_another_function_makes_of_it_has_no_fix(sent):
    assert _fixed(f"try:\n    f()\nexcept OSError as e:\n    x = Response({sent})\n") is None


def test_a_block_on_one_line_has_no_place_for_the_log():
    assert _fixed(f"{HEAD}try:\n    f()\nexcept OSError as e: x = Response(str(e))\n") is None
    assert _fixed("def f(a, b):\n    return Response(a)\n") is None
    assert _fixed("Response(a)\n") is None
