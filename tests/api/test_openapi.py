"""The description of the API is true: schemathesis tries every operation of a running service by it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.service import TOKEN, Service

CONFIG = """\
# A typed 503 (no engine, a policy that cannot be asked) is an answer; any other 5xx is a failure.
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", "503"]
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "413", "422"]
# A source or a name may be well-formed and yet be none: that is said with 400, which no schema can foretell.
[checks.positive_data_acceptance]
enabled = false
"""


@pytest.mark.slow
@pytest.mark.timeout(280)
def test_schemathesis_finds_no_server_error_and_no_schema_violation(tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    service = Service(tmp_path)
    try:
        for identity, fields in (("w1", {"backend": "host", "options": {"path": str(tmp_path)}}), ("w2", {})):
            body = {"id": identity, "org": "acme", "runtime": "external"} | fields
            assert service.client.post("/workspaces", json=body).status_code == 201
        command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{service.url}/openapi.json"]
        command += ["--header", f"Authorization: Bearer {TOKEN}", "--max-examples", "12", "--seed", "26"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-12000:] + done.stderr[-2000:]
    finally:
        service.stop()


async def test_the_description_is_openapi_3_1_and_names_every_route(serve):
    from plugport.core.app import ENDPOINTS

    async with serve() as admin:
        document = (await admin.get("/openapi.json")).json()
        assert document["openapi"].startswith("3.1")
        described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
        assert described == {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}
        assert "<h1>plugport" in (await admin.get("/docs")).text
