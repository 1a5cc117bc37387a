"""What an install or an uninstall met beside the plugin is printed for a person."""

from __future__ import annotations

from plugport.core.cli.remarks import with_remarks
from plugport.hookspecs import JSON


def test_a_reply_without_remarks_is_its_headline():
    reply: dict[str, JSON] = {"plugin": "p", "left": [], "kept": [], "dropped": [], "stale": False, "adopted": False}
    assert with_remarks("installed p", reply, "w1") == "installed p"
    assert with_remarks("installed p", {"plugin": "p"}, "w1") == "installed p"


def test_each_remark_has_its_line():
    reply: dict[str, JSON] = {
        "plugin": "p",
        "left": ["skills/a/SKILL.md"],
        "kept": ["plugins/.plugport/kept/p/abc"],
        "dropped": ["plugins/.plugport/kept/p/old"],
        "overwritten": [".claude/hooks/a.sh"],
        "stale": True,
        "adopted": True,
    }
    assert with_remarks("installed p", reply, "w1").splitlines() == [
        "installed p",
        "  left, since somebody edited it: skills/a/SKILL.md",
        "  set aside in: plugins/.plugport/kept/p/abc",
        "  deleted, since too much was set aside: plugins/.plugport/kept/p/old",
        "  the plugin's file takes the place of yours until the uninstall: .claude/hooks/a.sh",
        "  put back what was set aside: plugport restore p --workspace w1",
        "  copies of an older version stay until an install with a restart",
        "  taken over: plugport had no record of the plugin's directory",
    ]


def test_what_is_wrong_with_the_plugin_is_printed_but_for_notes():
    finding: dict[str, JSON] = {"severity": "warning", "path": "a.md", "line": 3, "message": "is \x1b[31mred"}
    reply: dict[str, JSON] = {
        "plugin": "p",
        "warnings": [
            finding,
            {**finding, "severity": "note"},
            {**finding, "severity": "error", "path": "", "line": 0},
        ],
        "unsupported": [
            {"component": "command go", "why": "it has none"},
            {"component": "grant tools", "why": "By hand."},
        ],
        "needs_grant": [{"name": "hooks", "why": "The agent asks."}, {"name": "tools", "why": "By hand."}],
    }
    assert with_remarks("installed p", reply, "w1").splitlines()[1:] == [
        "  warning: a.md:3: is �[31mred",
        "  error: the plugin: is �[31mred",
        "  not used: command go: it has none",
        "  not used: grant tools: By hand.",
        "  needs --grant hooks: The agent asks.",
    ]
