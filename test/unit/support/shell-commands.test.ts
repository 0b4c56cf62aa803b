import { describe, expect, it } from "vitest";
import { shellCommands } from "../../support/shell-commands.ts";

describe("the commands of a script", () => {
  it.each([
    [
      "one a line, without comments",
      "cat 'a b'    # shows\n# nothing\nls -l",
      [
        ["cat", "a b"],
        ["ls", "-l"],
      ],
    ],
    ["continued lines", "rsyncdirector run \\\n  --dry-run", [["rsyncdirector", "run", "--dry-run"]]],
    ["pipes, lists and background", "a | b && c || d; e &", [["a"], ["b"], ["c"], ["d"], ["e"]]],
    ["without redirections", "a > /etc/x 2>&1 < y; b 2>/dev/null >> z w", [["a"], ["b", "w"]]],
    ["without assignments", "N=1 M=2 a b=3\nsocket=/run/x", [["a", "b=3"]]],
    ["in substitutions", 'a "$(b "$(c)")" $(d e)', [["a", '$(b "$(c)")', "$(d e)"], ["b", "$(c)"], ["c"], ["d", "e"]]],
    ["quoted signs", `a "b | c" '; d' e\\;f`, [["a", "b | c", "; d", "e\\;f"]]],
    ["in loops", "for x in *.y; do\n  a $x > z\ndone", [["a", "$x"]]],
    [
      "that others start",
      "sudo -n a b\nrunuser -u me -- c -d",
      [
        ...[
          ["sudo", "-n", "a", "b"],
          ["a", "b"],
        ],
        ...[
          ["runuser", "-u", "me", "--", "c", "-d"],
          ["c", "-d"],
        ],
      ],
    ],
  ])("are found: %s", (_what, script, words) => {
    expect(shellCommands(script).map((command) => command.words)).toEqual(words);
  });
});
