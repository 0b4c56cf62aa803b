import { expect, it } from "vitest";
import { projectFiles, readProjectFile } from "./support/project-files.ts";

/** All text of the program, with texts that are put together from several lines as one. */
const source = projectFiles()
  .filter((path) => path.startsWith("src/"))
  .map((path) => readProjectFile(path).replaceAll(/[`"] \+\s+[`"]/g, ""))
  .join("\n");

const headings = [...readProjectFile("docs/troubleshooting.md").matchAll(/^### (.+)$/gm)].map(([, text = ""]) => text);
/** What systemd says is not ours to print. */
const ownHeadings = headings.filter((heading) => !heading.endsWith("(systemd)"));
const messages = ownHeadings.flatMap((heading) =>
  [...heading.matchAll(/`([^`]+)`/g)]
    .map(([, message = ""]) => message)
    .filter((text) => text.includes(" ") && !text.startsWith("rsyncdirector ")),
);

/** Names, numbers, paths, quotations, `…`, and words that are chosen by case. */
const varying =
  /"[^"]*"|…|\S*\d\S*|\S*\/\S*|@\S*|allow_\w+|\b(?:remote?|local|mail|behind|must be one of|left processes)\b|[()[\]:;]/g;

/** The fixed words between what varies. */
function fixedParts(message: string): string[] {
  return message
    .split(varying)
    .map((part) => part.replaceAll(/^[\s,.?]+|[\s,.?]+$/g, ""))
    .filter((part) => part.split(" ").length >= 3);
}

it("quotes messages that the program has", () => {
  expect(messages.length).toBeGreaterThan(50);
  const invented = messages.flatMap((message) =>
    fixedParts(message)
      .filter((part) => !source.includes(part))
      .map((part) => `${message}: ${part}`),
  );
  expect(invented).toEqual([]);
});

/** Whether a text of the program has all that is fixed of a message, in its order. */
function isText(message: string): boolean {
  const words = message.split(varying).map((part) => part.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(words.join(".{0,80}")).test(source);
}

it("quotes messages of few words that the program has", () => {
  const short = messages.filter((message) => fixedParts(message).length === 0);
  expect(short.length).toBeGreaterThan(0);
  expect(short.filter((message) => !isText(message))).toEqual([]);
  expect(isText("clock … s beside this host")).toBe(false);
});

it("has each message once", () => {
  expect(headings.filter((heading, index) => headings.indexOf(heading) !== index)).toEqual([]);
});
