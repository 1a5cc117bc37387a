"""The calls of libraries that wait, and the values whose methods wait: the facts behind PP004.

A name is the one by which the library is imported. If a library has moved a name, both homes are listed.
"""

from __future__ import annotations

from collections.abc import Mapping

from .kinds import EVERY, Kind

_VERBS = frozenset({"delete", "get", "head", "options", "patch", "post", "put", "request"})
_DOCKER_COLLECTIONS = (
    "configs", "containers", "images", "networks", "nodes", "plugins", "secrets", "services", "swarm", "volumes",
)  # fmt: skip

_KINDS = (
    Kind(
        "a docker-py client",
        EVERY,
        frozenset({"close"}),
        holds={**dict.fromkeys(_DOCKER_COLLECTIONS, "a docker-py collection"), "api": "a docker-py client"},
    ),
    Kind(
        "a docker-py collection",
        EVERY,
        gives={
            **dict.fromkeys(("build", "create", "get", "pull", "run"), "a docker-py object"),
            "list": "a list of docker-py objects",
        },
    ),
    Kind("a docker-py object", EVERY, frozenset({"tags"})),
    Kind("a list of docker-py objects", items="a docker-py object"),
    Kind(
        "a boto3 session",
        gives={"client": "a boto3 client", "resource": "a boto3 resource", "create_client": "a boto3 client"},
    ),
    Kind(
        "a boto3 client",
        EVERY,
        frozenset(
            {
                "can_paginate",
                "close",
                "generate_presigned_post",
                "generate_presigned_url",
                "get_paginator",
                "get_waiter",
            }
        ),
        gives={"get_paginator": "a boto3 paginator", "get_waiter": "a boto3 waiter"},
    ),
    Kind(
        "a boto3 resource",
        EVERY,
        gives={"*": "a boto3 resource"},
        holds={"*": "a boto3 resource"},
        items="a boto3 resource",
    ),
    Kind("a boto3 paginator", frozenset({"paginate"})),
    Kind("a boto3 waiter", frozenset({"wait"})),
    Kind("a requests session", _VERBS | {"send"}),
    Kind("an httpx client", _VERBS | {"send", "stream"}),
    Kind("a urllib3 pool", _VERBS | {"request_encode_body", "request_encode_url", "urlopen"}),
    Kind("an HTTP connection", frozenset({"connect", "endheaders", "getresponse", "request", "send"})),
    Kind("a process", frozenset({"communicate", "wait"})),
    Kind(
        "a socket",
        frozenset(
            {"accept", "connect", "recv", "recv_into", "recvfrom", "recvmsg", "send", "sendall", "sendfile", "sendto"}
        ),
    ),
    Kind(
        "an SMTP connection", frozenset({"connect", "ehlo", "login", "quit", "send_message", "sendmail", "starttls"})
    ),
    Kind(
        "an FTP connection",
        frozenset({"connect", "cwd", "login", "nlst", "quit", "retrbinary", "retrlines", "storbinary"}),
    ),
    Kind("an SSH client", frozenset({"connect", "exec_command", "open_sftp"})),
    Kind("a Redis client", EVERY, frozenset({"close", "pipeline", "pubsub"})),
    Kind("an event", frozenset({"wait"})),
    Kind("a thread", frozenset({"join"})),
    Kind("an executor", gives={"submit": "a future of a thread"}),
    Kind("a future of a thread", frozenset({"exception", "result"})),
    Kind(
        "a sqlite3 connection",
        frozenset({"backup", "commit", "execute", "executemany", "executescript", "iterdump", "rollback"}),
        gives=dict.fromkeys(("cursor", "execute", "executemany", "executescript"), "a sqlite3 cursor"),
    ),
    Kind(
        "a sqlite3 cursor",
        frozenset({"execute", "executemany", "executescript", "fetchall", "fetchmany", "fetchone"}),
        gives=dict.fromkeys(("execute", "executemany", "executescript"), "a sqlite3 cursor"),
    ),
    Kind("a zip archive", frozenset({"extract", "extractall", "read", "testzip", "write", "writestr"})),
    Kind("a tar archive", frozenset({"add", "extract", "extractall", "getmembers", "getnames"})),
    Kind("a path", gives={"open": "an open file"}),
    Kind("an open file", frozenset({"read", "read1", "readinto", "readlines", "readline"})),
)
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _KINDS}

MAKERS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "docker.APIClient", "docker.DockerClient", "docker.DockerClient.from_env", "docker.api.APIClient",
            "docker.api.client.APIClient", "docker.client.DockerClient", "docker.client.DockerClient.from_env",
            "docker.client.from_env", "docker.from_env",
        ),
        "a docker-py client",
    ),
    **dict.fromkeys(
        (
            "docker.models.containers.Container", "docker.models.images.Image", "docker.models.networks.Network",
            "docker.models.services.Service", "docker.models.volumes.Volume",
        ),
        "a docker-py object",
    ),
    "docker.models.containers.ContainerCollection": "a docker-py collection",
    "boto3.Session": "a boto3 session",
    "boto3.session.Session": "a boto3 session",
    "botocore.session.get_session": "a boto3 session",
    "boto3.client": "a boto3 client",
    "botocore.client.BaseClient": "a boto3 client",
    "boto3.resource": "a boto3 resource",
    "requests.Session": "a requests session",
    "requests.session": "a requests session",
    "requests.sessions.Session": "a requests session",
    "httpx.Client": "an httpx client",
    "urllib3.PoolManager": "a urllib3 pool",
    "urllib3.HTTPConnectionPool": "a urllib3 pool",
    "http.client.HTTPConnection": "an HTTP connection",
    "http.client.HTTPSConnection": "an HTTP connection",
    "subprocess.Popen": "a process",
    "socket.socket": "a socket",
    "socket.create_connection": "a socket",
    "smtplib.SMTP": "an SMTP connection",
    "smtplib.SMTP_SSL": "an SMTP connection",
    "ftplib.FTP": "an FTP connection",
    "ftplib.FTP_TLS": "an FTP connection",
    "paramiko.SSHClient": "an SSH client",
    "paramiko.client.SSHClient": "an SSH client",
    "redis.Redis": "a Redis client",
    "redis.StrictRedis": "a Redis client",
    "redis.from_url": "a Redis client",
    "redis.Redis.from_url": "a Redis client",
    "sqlite3.connect": "a sqlite3 connection",
    "sqlite3.Connection": "a sqlite3 connection",
    "sqlite3.Cursor": "a sqlite3 cursor",
    "zipfile.ZipFile": "a zip archive",
    "tarfile.open": "a tar archive",
    "tarfile.TarFile": "a tar archive",
    "tarfile.TarFile.open": "a tar archive",
    "builtins.open": "an open file",
    "io.open": "an open file",
    "pathlib.Path": "a path",
    "gzip.open": "an open file",
    "bz2.open": "an open file",
    "lzma.open": "an open file",
    "threading.Event": "an event",
    "threading.Thread": "a thread",
    "multiprocessing.Process": "a thread",
    "concurrent.futures.ThreadPoolExecutor": "an executor",
    "concurrent.futures.ProcessPoolExecutor": "an executor",
    "concurrent.futures.thread.ThreadPoolExecutor": "an executor",
}  # fmt: skip
"""Calls and annotations that make a value, with its kind."""

_THREAD = "await asyncio.to_thread(…)"
FUNCTIONS: Mapping[str, str] = {
    "time.sleep": "await asyncio.sleep(…)",
    **dict.fromkeys(
        (
            "subprocess.Popen", "subprocess.call", "subprocess.check_call", "subprocess.check_output",
            "subprocess.getoutput", "subprocess.getstatusoutput", "subprocess.run",
            "os.popen", "os.posix_spawn", "os.spawnl", "os.spawnle", "os.spawnlp", "os.spawnv", "os.spawnve",
            "os.spawnvp", "os.system", "pty.spawn",
        ),
        "await asyncio.create_subprocess_exec(…)",
    ),
    **dict.fromkeys(("os.wait", "os.wait3", "os.wait4", "os.waitid", "os.waitpid"), _THREAD),
    **{f"requests.{verb}": "httpx.AsyncClient" for verb in _VERBS},
    **{f"requests.api.{verb}": "httpx.AsyncClient" for verb in _VERBS},
    **{f"httpx.{verb}": "httpx.AsyncClient" for verb in _VERBS | {"stream"}},
    **dict.fromkeys(("urllib.request.urlopen", "urllib.request.urlretrieve", "urllib3.request"), "httpx.AsyncClient"),
    **dict.fromkeys(
        ("docker.from_env", "docker.client.from_env", "docker.DockerClient", "docker.DockerClient.from_env",
         "docker.APIClient", "docker.client.DockerClient", "docker.client.DockerClient.from_env"),
        _THREAD,
    ),  # each asks the engine for its version when it is made
    "socket.create_connection": "await asyncio.open_connection(…)",
    **dict.fromkeys(
        ("socket.getaddrinfo", "socket.gethostbyaddr", "socket.gethostbyname", "socket.gethostbyname_ex",
         "socket.getnameinfo"),
        "await loop.getaddrinfo(…)",
    ),
    **dict.fromkeys(
        ("psycopg.connect", "psycopg2.connect", "pymysql.connect", "MySQLdb.connect", "getpass.getpass",
         "select.select", "signal.pause", "signal.sigwait"),
        _THREAD,
    ),
    "sqlite3.connect": "one function for all of it, in a thread, or aiosqlite",
    **dict.fromkeys(
        ("shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.copyfileobj", "shutil.copytree",
         "shutil.make_archive", "shutil.move", "shutil.rmtree", "shutil.unpack_archive", "hashlib.file_digest"),
        _THREAD,
    ),
    **{
        f"{library}.read_{kind}": _THREAD
        for library in ("pandas", "polars")
        for kind in ("csv", "excel", "feather", "hdf", "ipc", "json", "orc", "parquet", "sql", "sql_query")
    },
}  # fmt: skip
"""Functions that wait, with what to call instead."""

BUILTINS: Mapping[str, str] = {"input": _THREAD}
