import { expect, it } from "vitest";
import { projectFiles, readProjectFile } from "./support/project-files.ts";

/** All text of the program, with texts that are put together from several lines as one. */
const source = projectFiles()
  .filter((path) => path.startsWith("src/"))
  .map((path) => readProjectFile(path).replaceAll(/[`"] \+\s+[`"]/g, ""))
  .join("\n");

const headings = [...readProjectFile("docs/troubleshooting.md").matchAll(/^### (.+)$/gm)].map(([, text = ""]) => text);
const messages = headings.flatMap((heading) =>
  [...heading.matchAll(/`([^`]+)`/g)].map(([, message = ""]) => message).filter((text) => text.includes(" ")),
);

/** The fixed words between what varies: names, numbers, paths, quotations, `…`, and words that are chosen by case. */
function fixedParts(message: string): string[] {
  const varying =
    /"[^"]*"|…|\S*\d\S*|\S*\/\S*|@\S*|allow_\w+|\b(?:remote?|local|mail|behind|must be one of|left processes)\b|[()[\]:;]/g;
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

it("has each message once", () => {
  expect(headings.filter((heading, index) => headings.indexOf(heading) !== index)).toEqual([]);
});
