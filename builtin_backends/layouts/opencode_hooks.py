"""The program by which opencode runs a plugin's hooks: a plugin of its own, in JavaScript."""

from __future__ import annotations

import json
from typing import Final

from ...hookspecs import JSON

_PROGRAM: Final = """\
// Written by plugport: runs the hooks of the plugin %(name)s.
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL(%(folder)s, import.meta.url))
const hooks = %(hooks)s

function run(hook, input) {
  return new Promise((resolve) => {
    const env = { ...process.env, CLAUDE_PLUGIN_ROOT: root, PLUGIN_ROOT: root }
    const child = spawn("sh", ["-c", hook.command], { env, stdio: ["pipe", "ignore", "pipe"] })
    const timer = setTimeout(() => child.kill("SIGKILL"), hook.seconds * 1000)
    let errors = ""
    const end = (code) => {
      clearTimeout(timer)
      resolve({ code, errors })
    }
    child.stderr.on("data", (data) => (errors += data))
    child.stdin.on("error", () => {})
    child.on("error", () => end(null))
    child.on("close", end)
    child.stdin.end(JSON.stringify({ hook_event_name: hook.name, cwd: process.cwd(), ...input }))
  })
}

function fits(hook, tool) {
  if (!hook.matcher || hook.matcher === "*") return true
  try {
    return new RegExp(`^(?:${hook.matcher})$`).test(tool)
  } catch {
    return hook.matcher === tool
  }
}

async function runAll(event, input, tool) {
  for (const hook of hooks.filter((hook) => hook.event === event && (tool === undefined || fits(hook, tool)))) {
    const { code, errors } = await run(hook, input)
    if (code === 2 && event === "tool.execute.before") throw new Error(errors || "a hook refused this")
  }
}

export const Hooks = async () => ({
  event: async ({ event }) => {
    await runAll(event.type, { session_id: event.properties?.sessionID ?? event.properties?.info?.id })
  },
  "chat.message": async (input, output) => {
    const prompt = (output.parts ?? []).map((part) => part.text ?? "").join("\\n")
    await runAll("chat.message", { session_id: input.sessionID, prompt })
  },
  "tool.execute.before": async (input, output) => {
    await runAll(
      "tool.execute.before",
      { session_id: input.sessionID, tool_name: input.tool, tool_input: output.args },
      input.tool,
    )
  },
  "tool.execute.after": async (input, output) => {
    await runAll(
      "tool.execute.after",
      { session_id: input.sessionID, tool_name: input.tool, tool_response: output.output },
      input.tool,
    )
  },
})
"""


def hooks_program(name: str, hooks: list[JSON]) -> bytes:
    """Return the program for the hooks of a plugin; each has `name`, `event`, `matcher`, `command`, `seconds`."""
    values = {
        "name": name,
        "folder": json.dumps(f"./{name}"),
        "hooks": json.dumps(hooks, indent=2, ensure_ascii=True),
    }
    return (_PROGRAM % values).encode()
