"""The ec2 backend against a real sshd, through the tunnel: what arrives, what goes, and as whom."""

from __future__ import annotations

import ast
import asyncio
from pathlib import Path

import pytest

from plugport.builtin_backends.ec2.simulator.tunnel_endpoint import ENDPOINT_HOST
from plugport.core.pipeline.footprint import footprint_of
from plugport.core.pipeline.removal import removal_of
from plugport.hookspecs import Action, Removal, RunState, Workspace, errors
from plugport.hookspecs.conformance import bundle_of

DIGEST = "find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum | sha256sum | cut -d' ' -f1"
FILES = {"plugin.yaml": b"name: p\nversion: 1\n", "a b/c'd.md": b"odd", "-dash": b"x", "run.sh": b"#!/bin/sh\n"}


def _left(host, folder="/configs") -> list[str]:
    """What lies in `plugins`; of plugport's own folder only what a delivery left there."""
    words = host.shell(f"cd {folder}/plugins && ls -A . .plugport/staging 2>/dev/null || :").split()
    return [word for word in words if word not in {".:", ".plugport", ".plugport/staging:"}]


async def test_what_is_delivered_is_seen_on_the_host(ec2, tmp_path):
    bundle = bundle_of(tmp_path, "p", FILES, frozenset({"run.sh"}))
    async with ec2.backend() as backend:
        assert await backend.is_running(ec2.workspace()) == RunState.RUNNING
        receipt = await backend.deliver(ec2.workspace(), bundle)
    digest = ec2.host.shell(f"cd /configs/plugins/p && {DIGEST}").strip()
    assert receipt.digest == bundle.digest == f"sha256:{digest}"
    modes = ec2.host.shell("cd /configs/plugins/p && stat -c '%u:%g %a %n' ../.. .. . run.sh plugin.yaml")
    assert modes.split("\n")[:-1] == [
        "1000:1000 755 ../..",
        "1000:1000 755 ..",
        "1000:1000 755 .",
        "1000:1000 755 run.sh",
        "1000:1000 644 plugin.yaml",
    ]
    assert _left(ec2.host) == ["p"]


@pytest.mark.parametrize(
    ("runtime", "folder"),
    [
        ("claude-code", "/configs"),
        ("claude_code", "/configs"),
        ("hermes", "/home/ubuntu/.hermes"),
        ("langgraph", "/opt/configs"),
        (None, "/opt/configs"),
        ("another", "/srv/agents/another"),
    ],
)
async def test_each_runtime_has_its_config_dir(ec2, tmp_path, runtime, folder):
    async with ec2.backend(config_dirs={"another": "/srv/agents/another"}) as backend:
        await backend.deliver(ec2.workspace(runtime=runtime), bundle_of(tmp_path, "p", {"a": b"1"}))
    assert ec2.host.shell(f"cat {folder}/plugins/p/a; stat -c %u:%g {folder}") == "11000:1000\n"
    ec2.host.shell("rm -rf /srv/agents")


async def test_an_update_leaves_no_stale_file_and_a_list_tells_what_lies_there(ec2, tmp_path):
    new = bundle_of(tmp_path / "2", "p", {"plugin.yaml": b"name: p\n", "both": b"2"})
    other = bundle_of(tmp_path / "3", "q", {"b": b"1"})
    async with ec2.backend() as backend:
        assert await backend.list_installed(ec2.workspace()) == []
        for bundle in (bundle_of(tmp_path / "1", "p", {"old": b"1", "both": b"1"}), new, other):
            await backend.deliver(ec2.workspace(), bundle)
        plugins = await backend.list_installed(ec2.workspace())
    assert [(plugin.name, plugin.digest, plugin.manifest) for plugin in plugins] == [
        ("p", new.digest, "name: p\n"),
        ("q", other.digest, None),
    ]
    assert ec2.host.shell("ls /configs/plugins/p").split() == ["both", "plugin.yaml"]


async def test_an_uninstall_restores_every_byte(ec2, tmp_path):
    ec2.host.shell("install -d -o 1000 -g 1000 /configs && printf '# Mine\\n\\nKeep.\\n' > /configs/CLAUDE.md")
    bundle = bundle_of(tmp_path, "p", {"rules/a.md": b"One.\n", "skills/s/SKILL.md": b"s", "hooks/h.sh": b"hook"})
    async with ec2.backend() as backend:
        await backend.deliver(ec2.workspace(), bundle)
        ec2.host.shell(
            "cd /configs && cp -r plugins/p/skills skills && mkdir -p .claude/hooks"
            " && cp plugins/p/hooks/h.sh .claude/hooks/ && chown -R 1000:1000 ."
            " && printf '# Plugin: p / rule: a.md\\n\\nOne.\\n\\n' >> CLAUDE.md"
        )
        receipt = await backend.uninstall(ec2.workspace(), removal_of("p", [footprint_of(bundle)], []))
        assert receipt.left == ()
        await backend.uninstall(ec2.workspace(), Removal("p"))
    assert ec2.host.shell("cat /configs/CLAUDE.md") == "# Mine\n\nKeep.\n"
    assert ec2.host.shell("cd /configs && find . -type f").split() == ["./CLAUDE.md"]


async def test_ten_deliveries_share_one_connection_and_eight_channels(ec2, tmp_path):
    bundles = [bundle_of(tmp_path / str(n), f"p{n}", {"a": b"%d" % n}) for n in range(10)]
    async with ec2.backend() as backend:
        await asyncio.gather(*(backend.deliver(ec2.workspace(f"w{n}"), bundle) for n, bundle in enumerate(bundles)))
        assert sorted(_left(ec2.host)) == sorted(bundle.name for bundle in bundles)
        assert len(ec2.endpoint.requests) == 1
    assert ec2.aws.calls.count("SendSSHPublicKey") == 1


async def test_the_connections_are_closed_at_shutdown(ec2):
    async with ec2.backend() as backend:
        await backend.list_installed(ec2.workspace())
        assert len(ec2.host.connection_pids()) == 1
    for _ in range(200):
        if not ec2.host.connection_pids() and not ec2.endpoint.open_tunnels:
            break
        await asyncio.sleep(0.02)
    assert (ec2.host.connection_pids(), ec2.endpoint.open_tunnels) == ([], 0)


async def test_direct_ssh_needs_no_endpoint(ec2, tmp_path):
    workspace = ec2.workspace(ssh_host="127.0.0.1", ssh_port=ec2.host.port)
    async with ec2.backend() as backend:
        bundle = bundle_of(tmp_path, "p", FILES)
        assert (await backend.deliver(workspace, bundle)).digest == bundle.digest
    assert ec2.endpoint.requests == []
    assert ec2.aws.calls.count("DescribeInstanceConnectEndpoints") == 0
    assert ec2.aws.calls.count("SendSSHPublicKey") == 1


async def test_a_workspace_that_does_not_say_where_it_is_does_not_run(ec2, tmp_path):
    bundle = bundle_of(tmp_path, "p", {"a": b"1"})
    nowhere = Workspace("w", backend="ec2")
    wrong = [ec2.workspace(ssh_host=7), ec2.workspace(ssh_port="22"), ec2.workspace(ssh_port=0)]
    async with ec2.backend() as backend:
        assert await backend.is_running(nowhere) == RunState.STOPPED
        for workspace in (nowhere, *wrong):
            with pytest.raises(errors.WorkspaceNotRunning):
                await backend.preflight(workspace, Action.INSTALL)
            with pytest.raises(errors.WorkspaceNotRunning):
                await backend.deliver(workspace, bundle)


@pytest.mark.parametrize(
    "settings", [{"host_keys": "no"}, {"tunnel_connect": "nowhere"}, {"stall_seconds": "0"}, {"stall_seconds": "x"}]
)
async def test_a_setting_that_cannot_be_used_fails_the_start(ec2, settings):
    with pytest.raises(ValueError, match=r"PLUGPORT_EC2|could not convert"):
        async with ec2.backend(**settings):
            pass


async def test_a_restart_runs_the_workspaces_own_command_with_the_containers_name(ec2):
    command = "printf '%s' \"$1\" > /tmp/restarted"
    async with ec2.backend() as backend:
        await backend.restart(ec2.workspace("a;b", restart=command))
        assert ec2.host.shell("cat /tmp/restarted") == "ws-a;b"
        with pytest.raises(errors.BackendUnavailable, match=r"exited with 3: no"):
            await backend.restart(ec2.workspace(restart="echo no >&2; exit 3"))
        with pytest.raises(errors.UnsupportedTarget):
            await backend.restart(ec2.workspace(restart=False))


async def test_the_default_restarts_the_container_by_name_and_asks_root_where_the_user_may_not(ec2):
    script = '#!/bin/sh\n[ "$(id -u)" = 0 ] || exit 1\nprintf "%s " "$@" > /tmp/asked\n'
    ec2.host.shell(f"cat > /usr/local/bin/docker <<'END'\n{script}END\nchmod 755 /usr/local/bin/docker")
    async with ec2.backend() as backend:
        await backend.restart(ec2.workspace())
    assert ec2.host.shell("cat /tmp/asked; rm /tmp/asked /usr/local/bin/docker") == "restart ws-w "


async def test_a_folder_of_roots_is_made_by_root_and_nothing_else_is_done_as_root(ec2, tmp_path):
    ec2.host.shell("install -d /configs")  # as Docker makes a bind mount's missing source
    async with ec2.backend() as backend:
        await backend.deliver(ec2.workspace(), bundle_of(tmp_path, "p", FILES))
    assert ec2.host.shell("stat -c '%u %n' /configs /configs/plugins /configs/plugins/p") == (
        "0 /configs\n1000 /configs/plugins\n1000 /configs/plugins/p\n"
    )


async def test_where_uid_1000_could_swap_a_folder_above_root_makes_nothing(ec2, tmp_path):
    ec2.host.shell("install -d -o 1000 -g 1000 /home/ubuntu && install -d /home/ubuntu/of-root")
    async with ec2.backend(config_dirs={"x": "/home/ubuntu/of-root/configs"}) as backend:
        with pytest.raises(errors.DeliveryFailed, match="uid 1000 can write"):
            await backend.deliver(ec2.workspace(runtime="x"), bundle_of(tmp_path, "p", FILES))
    assert ec2.host.shell("ls -A /home/ubuntu/of-root") == ""


@pytest.mark.parametrize("user", ["root", "other"])
async def test_another_user_becomes_uid_1000(ec2, tmp_path, user):
    ec2.host.shell("echo 'other ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/other; chmod 440 /etc/sudoers.d/other")
    bundle = bundle_of(tmp_path, "p", FILES)
    async with ec2.backend(os_user=user) as backend:
        assert (await backend.deliver(ec2.workspace(), bundle)).digest == bundle.digest
        assert [plugin.name for plugin in await backend.list_installed(ec2.workspace())] == ["p"]
    owners = ec2.host.shell("find /configs -printf '%U\\n' | sort -u").split()
    assert owners == ["1000"]
    ec2.host.shell("rm /etc/sudoers.d/other")


async def test_root_follows_no_link_that_the_agent_laid(ec2, tmp_path):
    ec2.host.shell("install -d -o 1000 -g 1000 /configs && ln -s /etc /configs/plugins")
    async with ec2.backend(os_user="root") as backend:
        with pytest.raises(errors.DeliveryFailed):
            await backend.deliver(ec2.workspace(), bundle_of(tmp_path, "p", FILES))
    assert ec2.host.shell("ls -d /etc/p /etc/.stg-* /etc/.plugport 2>/dev/null || true") == ""


async def test_a_user_who_cannot_become_uid_1000_is_told(ec2, tmp_path):
    async with ec2.backend(os_user="other") as backend:
        with pytest.raises(errors.UnsupportedTarget, match="cannot become uid 1000"):
            await backend.deliver(ec2.workspace(), bundle_of(tmp_path, "p", FILES))


def test_no_connection_is_made_without_a_known_host_key():
    folder = Path(__file__).parents[2]
    modules = [path for part in ("core", "hookspecs", "builtin_backends") for path in (folder / part).rglob("*.py")]
    known = [
        {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}.get("known_hosts", "None")
        for module in modules
        for call in ast.walk(ast.parse(module.read_text()))
        if isinstance(call, ast.Call) and ast.unparse(call.func).startswith(("asyncssh.connect", "connect_ssh"))
    ]
    assert known == ["(list(expected.keys), [], [])"]


def test_no_command_line_of_aws_or_ssh_is_started():
    folder = Path(__file__).parents[2] / "builtin_backends/ec2"
    assert not [path for path in folder.glob("*.py") if "subprocess" in path.read_text()]
    assert ENDPOINT_HOST.endswith("amazonaws.com")
