import { codeBlocks } from "./markdown.ts";

/** One thing that a reader of the README does, in its order. */
export interface ReadmeStep {
  /** Of the headings, the last before it. */
  readonly section: string;
  readonly line: number;
  readonly does:
    | { readonly kind: "run"; readonly command: string; readonly shows: string | undefined }
    | { readonly kind: "write"; readonly file: string; readonly text: string };
}

/** A configuration is written to the file that the prose before it names last, as in: Write `/etc/…/laptop.yaml`. */
export function readmeSteps(markdown: string): ReadmeStep[] {
  const lines = markdown.split("\n");
  return codeBlocks(markdown).flatMap(({ kind, text, line }): ReadmeStep[] => {
    const before = lines.slice(0, line - 1);
    const section = before.findLast((each) => each.startsWith("## "))?.slice(3) ?? "";
    const step = (does: ReadmeStep["does"]) => ({ section, line, does });
    if (kind === "yaml") {
      const file = /.*`(\/etc\/[^`]+\.yaml)`/s.exec(before.join("\n"))?.[1] ?? "";
      return [step({ kind: "write", file, text })];
    }
    if (kind === "console") {
      const parts = text.split(/^\$ /m).slice(1);
      return parts.map((part) => {
        const [command = "", ...shown] = part.split("\n");
        return step({ kind: "run", command, shows: shown.join("\n") });
      });
    }
    const commands = text.split("\n").filter((each) => each.trim() !== "");
    return commands.map((command) => step({ kind: "run", command, shows: undefined }));
  });
}

/** The lines of a table of a section, as its cells. */
export function tableRows(markdown: string, section: string): string[][] {
  const [, part = ""] = markdown.split(`\n## ${section}\n`);
  const rows = (part.split("\n## ")[0] ?? "").split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** A text with what differs between two runs of a command made equal. */
export function withoutFigures(text: string): string {
  return (
    text
      .replaceAll(/\b\d{8}-\d{6}-[0-9a-f]{6}\b/g, "RUN")
      .replaceAll(/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b/g, "TIME")
      .replaceAll(/\b(mon|tue|wed|thu|fri|sat|sun)\b/gi, "DAY")
      .replaceAll(/\b\d\d:\d\d\b/g, "TIME")
      // A time that is further off than so many hours has its day before it.
      .replaceAll(/\bDAY TIME\b/g, "TIME")
      .replaceAll(/\b\d+(?:[.,]\d+)*(?: ?(?:ms|[smhd]|k?B(?:\/s)?|MB(?:\/s)?))\b/g, "N")
      .replaceAll(/\bN(?: N)+\b/g, "N")
      .replaceAll(/\d+/g, "N")
      .replaceAll(/[ \t]+/g, " ")
      .trim()
  );
}
